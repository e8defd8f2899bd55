-- read_fine_days
-- $1 date    first day that may have seconds
-- $2 date    first day that is kept by the second
-- $3 text    behind this video-day: video,
-- $4 date    day
-- $5 bigint  most video-days
-- Video-days that may have rows of seconds that are no longer kept, in order. Only spread blocks have such rows.
SELECT DISTINCT video_id, captured_on
FROM video_heatmap_spread
WHERE captured_on >= $1 AND captured_on < $2 AND (video_id, captured_on) > ($3, $4)
ORDER BY video_id, captured_on
LIMIT $5
