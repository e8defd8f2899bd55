-- insert_spread
-- $1 date      day
-- $2 text      video
-- $3 smallint  block
INSERT INTO video_heatmap_spread (video_id, captured_on, block)
VALUES ($2, $1, $3)
ON CONFLICT (video_id, captured_on, block) DO NOTHING
