-- read_regions
-- $1 text     video
-- $2 date     first day
-- $3 date     last day
-- $4 date[]   first days of the salt epochs that the range touches, ascending
-- Whole-video rows, region by region, in each by salt epoch; their sketches are united where they arrive.
WITH days AS (
    SELECT region, captured_on, last_sec, viewers, plays
    FROM video_heatmap_whole
    WHERE video_id = $1 AND captured_on BETWEEN $2 AND $3 AND region <> 'GLOBAL'
    UNION ALL
    SELECT region, captured_on, last_sec, viewers, plays
    FROM video_heatmap_whole_shards
    WHERE video_id = $1 AND captured_on BETWEEN $2 AND $3
)
SELECT region AS name, width_bucket(captured_on, $4::date[]) AS epoch, last_sec, plays, viewers
FROM days
ORDER BY name, epoch
