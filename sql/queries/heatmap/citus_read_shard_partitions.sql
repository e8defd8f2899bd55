-- citus_read_shard_partitions
-- As read_shard_partitions, where the rows are on the nodes: the sizes of those that answer. Nobody knows how many rows they are.
SELECT to_date(right(c.relname, 8), 'YYYYMMDD') AS day,
    coalesce(sum(citus_total_relation_size(c.oid, fail_on_error => false)), 0)::bigint AS bytes,
    0::bigint AS about_rows
FROM pg_inherits AS i
JOIN pg_class AS c ON c.oid = i.inhrelid
WHERE i.inhparent IN ('video_heatmap_whole_shards'::regclass, 'video_heatmap_shards'::regclass,
    'video_heatmap_second_shards'::regclass)
GROUP BY 1
ORDER BY 1
