-- ensure_shard_partitions
-- $1 date[]  days
SELECT ensure_shard_partition(day) FROM unnest($1::date[]) AS d (day) ORDER BY day
