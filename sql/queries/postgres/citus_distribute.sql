-- citus_distribute
-- $1 text  table
-- $2 text  its column
-- $3 text  the table with which it is co-located
SELECT create_distributed_table($1::text::regclass, $2::text, colocate_with => $3::text)
