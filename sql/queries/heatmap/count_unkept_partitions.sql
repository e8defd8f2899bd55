-- count_unkept_partitions
-- $1 date  first day that is kept
-- As drop_unkept_partition finds them: those whose days are all before it. A CASE, as the order in which AND and OR look at
-- a name is anybody's guess.
SELECT count(*) AS partitions
FROM pg_inherits AS i
JOIN pg_class AS c ON c.oid = i.inhrelid
WHERE $1 >= CASE
    WHEN i.inhparent IN ('video_heatmap_shards'::regclass, 'video_heatmap_second_shards'::regclass,
            'video_heatmap_whole_shards'::regclass)
        THEN to_date(right(c.relname, 8), 'YYYYMMDD') + 1
    WHEN i.inhparent IN ('video_heatmap'::regclass, 'video_heatmap_5s'::regclass, 'video_heatmap_60s'::regclass,
            'video_heatmap_whole'::regclass, 'video_heatmap_runs'::regclass, 'video_heatmap_spread'::regclass)
        THEN (to_date(right(c.relname, 6), 'YYYYMM') + interval '1 month')::date
END
