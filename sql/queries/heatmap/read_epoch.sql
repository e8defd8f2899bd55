-- read_epoch
-- $1 date     first day of an epoch
-- $2 date     last day of it
-- $3 text     video
-- $4 text     region, GLOBAL too
-- $5 integer  level: 1, 5 or 60
-- The rows of a level, the last bucket first. The arms of the other levels fall away when the plan is made.
SELECT bucket_sec / $5 AS bucket, last_sec, viewers, plays
FROM (
    SELECT bucket_sec, bucket_sec AS last_sec, viewers, plays
    FROM video_heatmap
    WHERE $5 = 1 AND video_id = $3 AND region = $4 AND captured_on BETWEEN $1 AND $2
    UNION ALL
    SELECT bucket_sec, last_sec, viewers, plays
    FROM video_heatmap_5s
    WHERE $5 = 5 AND video_id = $3 AND region = $4 AND captured_on BETWEEN $1 AND $2
    UNION ALL
    SELECT bucket_sec, last_sec, viewers, plays
    FROM video_heatmap_60s
    WHERE $5 = 60 AND video_id = $3 AND region = $4 AND captured_on BETWEEN $1 AND $2
) AS rows
ORDER BY bucket DESC
