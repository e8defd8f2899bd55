-- read_epoch
-- $1 date     first day of an epoch
-- $2 date     last day of it
-- $3 text     video
-- $4 integer  level: 1, 5 or 60
-- The rows of a level, region by region, in each the last bucket first. The arms of the other levels fall away when the plan
-- is made.
WITH rows AS (
    SELECT region, bucket_sec, bucket_sec AS last_sec, viewers, plays
    FROM video_heatmap
    WHERE $4 = 1 AND video_id = $3 AND captured_on BETWEEN $1 AND $2
    UNION ALL
    SELECT region, bucket_sec, last_sec, viewers, plays
    FROM video_heatmap_5s
    WHERE $4 = 5 AND video_id = $3 AND captured_on BETWEEN $1 AND $2
    UNION ALL
    SELECT region, bucket_sec, last_sec, viewers, plays
    FROM video_heatmap_60s
    WHERE $4 = 60 AND video_id = $3 AND captured_on BETWEEN $1 AND $2
)
SELECT region, bucket_sec / $4 AS bucket, last_sec, viewers, plays
FROM rows
ORDER BY region, bucket DESC
