-- read_table_users
-- $1 text[]  partitioned tables
-- The transactions that use one of them, or one of their partitions.
SELECT DISTINCT l.virtualtransaction
FROM pg_locks AS l
WHERE l.locktype = 'relation' AND l.granted AND l.pid <> pg_backend_pid()
    AND l.database = (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database())
    AND (l.relation = ANY ($1::text[]::regclass[])
        OR l.relation IN (SELECT i.inhrelid FROM pg_inherits AS i WHERE i.inhparent = ANY ($1::text[]::regclass[])))
