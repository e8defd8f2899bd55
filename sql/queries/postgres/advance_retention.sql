-- advance_retention
-- $1 date  first day that is kept, NULL to leave it
-- $2 date  first day that is kept by the second, NULL to leave it
-- Never back: what is gone does not come again.
UPDATE retention SET kept_from = greatest(kept_from, $1), fine_from = greatest(fine_from, $2)
