-- citus_read_daemon
-- Whether the process runs that finds deadlocks across nodes and brings prepared transactions to their end.
SELECT count(*) > 0 AS runs
FROM pg_stat_activity
WHERE datname = current_database() AND application_name = 'Citus Maintenance Daemon'
