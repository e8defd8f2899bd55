-- read_spread
-- $1 date    day
-- $2 text[]  videos
SELECT video_id, block FROM video_heatmap_spread WHERE captured_on = $1 AND video_id = ANY ($2::text[])
