-- read_shard_partitions
-- The days that have partitions of shard rows, ascending, with their size and about how many rows they hold.
SELECT to_date(right(c.relname, 8), 'YYYYMMDD') AS day,
    sum(pg_total_relation_size(c.oid))::bigint AS bytes,
    sum(CASE WHEN i.inhparent = 'video_heatmap_whole_shards'::regclass THEN 0 ELSE greatest(c.reltuples, 0) END)::bigint
        AS about_rows
FROM pg_inherits AS i
JOIN pg_class AS c ON c.oid = i.inhrelid
WHERE i.inhparent IN ('video_heatmap_whole_shards'::regclass, 'video_heatmap_shards'::regclass,
    'video_heatmap_second_shards'::regclass)
GROUP BY 1
ORDER BY 1
