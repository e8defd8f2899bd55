-- read_days
-- $1 text    video
-- $2 date    first day
-- $3 date    last day
-- $4 text[]  regions of canonical rows: GLOBAL alone, or the regions to unite
-- $5 text[]  regions of shard rows, which know no GLOBAL: NULL for all
-- Whole-video rows, day by day; their sketches are united where they arrive. A day lies in one salt epoch.
WITH days AS (
    SELECT captured_on, last_sec, viewers, plays
    FROM video_heatmap_whole
    WHERE video_id = $1 AND captured_on BETWEEN $2 AND $3 AND region = ANY ($4::text[])
    UNION ALL
    SELECT captured_on, last_sec, viewers, plays
    FROM video_heatmap_whole_shards
    WHERE video_id = $1 AND captured_on BETWEEN $2 AND $3 AND ($5::text[] IS NULL OR region = ANY ($5::text[]))
)
SELECT to_char(captured_on, 'YYYY-MM-DD') AS name, 0 AS epoch, last_sec, plays, viewers
FROM days
ORDER BY captured_on
