-- citus_truncate_local
-- $1 text  table
-- The rows that were copied to the nodes are still in the tables of the coordinator.
SELECT truncate_local_data_after_distributing_table($1::text::regclass)
