-- citus_distribute_first
-- $1 text     table, with which the others are co-located
-- $2 text     its column
-- $3 integer  shards
SELECT create_distributed_table($1::text::regclass, $2::text, colocate_with => 'none', shard_count => $3)
