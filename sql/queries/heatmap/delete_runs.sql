-- delete_runs
-- $1 date    day
-- $2 text[]  videos, which are locked
-- $3 text[]  where the rows lie
DELETE FROM video_heatmap_runs
WHERE captured_on = $1 AND video_id = ANY ($2::text[]) AND ctid = ANY ($3::text[]::tid[])
