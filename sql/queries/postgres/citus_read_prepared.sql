-- citus_read_prepared
-- The transactions that are prepared on the nodes and wait for their second phase, of those nodes that answer.
SELECT n.nodeid || ' ' || gid AS prepared
FROM run_command_on_workers($command$
    SELECT string_agg(gid, ' ') FROM pg_prepared_xacts WHERE database = current_database()
$command$) AS a
JOIN pg_dist_node AS n ON n.nodename = a.nodename AND n.nodeport = a.nodeport
CROSS JOIN LATERAL string_to_table(a.result, ' ') AS g (gid)
WHERE a.success
