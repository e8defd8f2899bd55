-- read_partition_faults
-- $1 date  tomorrow
-- Partitions of shard rows without their twin, those of days that have not come, and tables named like a partition that are
-- none.
WITH shards AS (
    SELECT c.relname AS name, to_date(right(c.relname, 8), 'YYYYMMDD') AS day, i.inhparent
    FROM pg_inherits AS i
    JOIN pg_class AS c ON c.oid = i.inhrelid
    WHERE i.inhparent IN ('video_heatmap_shards'::regclass, 'video_heatmap_whole_shards'::regclass)
)
SELECT name::text AS name, 'has no twin' AS fault
FROM shards AS s
WHERE NOT EXISTS (SELECT 1 FROM shards AS t WHERE t.day = s.day AND t.inhparent <> s.inhparent)
UNION ALL
SELECT name::text, 'is of a day that has not come' FROM shards WHERE day > $1
UNION ALL
SELECT c.relname::text, 'is not attached'
FROM pg_class AS c
WHERE c.relkind = 'r' AND NOT c.relispartition
    AND c.relnamespace = (SELECT relnamespace FROM pg_class WHERE oid = 'video_heatmap'::regclass)
    AND c.relname ~ '^video_heatmap.*_[0-9]{6}([0-9]{2})?$'
ORDER BY name
