-- delete_empty_spread
-- $1 text     video, whose days are locked
-- $2 date     day
-- $3 integer  seconds a block
-- Blocks of which nothing is left begin as runs again.
DELETE FROM video_heatmap_spread AS s
WHERE s.video_id = $1 AND s.captured_on = $2
    AND NOT EXISTS (
        SELECT 1 FROM video_heatmap_60s AS l
        WHERE l.video_id = $1 AND l.captured_on = $2 AND l.region = 'GLOBAL' AND l.bucket_sec / $3 = s.block
    )
