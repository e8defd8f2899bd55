-- advance_thinned
-- $1 date  no seconds are left of days before it
UPDATE retention SET thinned_to = greatest(thinned_to, $1)
