-- read_video_days
-- $1 text  video
-- $2 date  first day that is kept
-- Every canonical day has a GLOBAL row, so that one stretch of the index tells.
SELECT min(first_day) AS first_day, max(last_day) AS last_day
FROM (
    SELECT min(captured_on) AS first_day, max(captured_on) AS last_day
    FROM video_heatmap_whole WHERE video_id = $1 AND region = 'GLOBAL' AND captured_on >= $2
    UNION ALL
    SELECT min(captured_on), max(captured_on)
    FROM video_heatmap_whole_shards WHERE video_id = $1 AND captured_on >= $2
) AS days
