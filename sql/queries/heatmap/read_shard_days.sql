-- read_shard_days
-- The days that have partitions of shard rows, ascending.
SELECT DISTINCT to_date(right(c.relname, 8), 'YYYYMMDD') AS day
FROM pg_inherits AS i
JOIN pg_class AS c ON c.oid = i.inhrelid
WHERE i.inhparent IN ('video_heatmap_whole_shards'::regclass, 'video_heatmap_shards'::regclass,
    'video_heatmap_second_shards'::regclass)
ORDER BY day
