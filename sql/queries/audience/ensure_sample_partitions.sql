-- ensure_sample_partitions
-- $1 date[]  days
SELECT ensure_sample_partition(day) FROM unnest($1::date[]) AS days (day)
