-- read_video_days
-- $1 text  video
-- $2 date  first day that is kept
-- Every canonical day has a GLOBAL row, so that one stretch of the index tells. The days are listed first: a plan that
-- looks for the first and the last in each of 36 months takes far longer to make than a thousand days to read.
WITH days AS MATERIALIZED (
    SELECT captured_on FROM video_heatmap_whole WHERE video_id = $1 AND region = 'GLOBAL' AND captured_on >= $2
    UNION ALL
    SELECT captured_on FROM video_heatmap_whole_shards WHERE video_id = $1 AND captured_on >= $2
)
SELECT min(captured_on) AS first_day, max(captured_on) AS last_day
FROM days
