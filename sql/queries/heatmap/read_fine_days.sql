-- read_fine_days
-- $1 date    first day that is kept by the second
-- $2 text    behind this video-day: video,
-- $3 date    day
-- $4 bigint  most video-days
-- Video-days with rows of seconds that are no longer kept, in order. Only spread blocks have such rows.
SELECT DISTINCT s.video_id, s.captured_on
FROM video_heatmap_spread AS s
WHERE s.captured_on < $1 AND (s.video_id, s.captured_on) > ($2, $3)
    AND EXISTS (
        SELECT FROM video_heatmap AS h
        WHERE h.video_id = s.video_id AND h.region = 'GLOBAL' AND h.captured_on = s.captured_on
    )
ORDER BY s.video_id, s.captured_on
LIMIT $4
