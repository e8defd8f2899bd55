-- read_level
-- $1 date     day
-- $2 text     video
-- $3 text     region, GLOBAL too
-- $4 integer  level: 1, 5 or 60
-- $5 integer  first second of the first bucket
-- $6 integer  first second of the last bucket
-- The arms of the other levels fall away when the plan is made.
SELECT bucket_sec, bucket_sec AS last_sec, viewers, plays
FROM video_heatmap
WHERE $4 = 1 AND video_id = $2 AND captured_on = $1 AND region = $3 AND bucket_sec BETWEEN $5 AND $6
UNION ALL
SELECT bucket_sec, last_sec, viewers, plays
FROM video_heatmap_5s
WHERE $4 = 5 AND video_id = $2 AND captured_on = $1 AND region = $3 AND bucket_sec BETWEEN $5 AND $6
UNION ALL
SELECT bucket_sec, last_sec, viewers, plays
FROM video_heatmap_60s
WHERE $4 = 60 AND video_id = $2 AND captured_on = $1 AND region = $3 AND bucket_sec BETWEEN $5 AND $6
