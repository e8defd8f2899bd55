-- drop_shard_partition
-- $1 date  day
SELECT drop_shard_partition($1) AS dropped
