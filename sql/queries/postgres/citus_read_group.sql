-- citus_read_group
-- 0 on the coordinator.
SELECT groupid FROM pg_dist_local_group
