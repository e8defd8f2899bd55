-- take_runs
-- $1 date    day
-- $2 text[]  videos that are locked
-- $3 text[]  where the rows lie
-- Somebody else may have taken a row meanwhile, and another may lie where it lay: of a locked video it is as good.
DELETE FROM video_heatmap_shards
WHERE captured_on = $1 AND video_id = ANY ($2::text[]) AND ctid = ANY ($3::text[]::tid[])
RETURNING video_id, region, start_sec, end_sec, viewers, plays
