-- ensure_canonical_partition
-- $1 date  day
SELECT ensure_canonical_partition($1)
