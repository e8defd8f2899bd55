-- advance_sample
-- $1 date  first day that is kept from now on
-- It never goes back: what is gone is gone.
UPDATE sample_settings SET kept_from = $1 WHERE kept_from < $1
