-- citus_read_nodes
-- The nodes, and what each says of itself; nothing where it does not answer. The coordinator is among them if Citus knows it.
SELECT n.groupid, n.nodename || ':' || n.nodeport AS node, n.isactive AS active, n.shouldhaveshards AS has_shards,
    coalesce(a.success, false) AS answers, a.result
FROM pg_dist_node AS n
LEFT JOIN run_command_on_all_nodes($command$
    SELECT current_setting('max_prepared_transactions') || ' '
        || coalesce((SELECT extversion FROM pg_extension WHERE extname = 'hll'), 'none') || ' '
        || (SELECT extversion FROM pg_extension WHERE extname = 'citus')
$command$) AS a ON a.nodeid = n.nodeid
WHERE n.noderole = 'primary'
ORDER BY n.groupid, n.nodeid
