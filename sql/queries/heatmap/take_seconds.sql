-- take_seconds
-- $1 date    day
-- $2 text[]  videos that are locked
-- $3 text[]  where the rows lie
-- As take_runs, for the rows of an earlier version.
DELETE FROM video_heatmap_second_shards
WHERE captured_on = $1 AND video_id = ANY ($2::text[]) AND ctid = ANY ($3::text[]::tid[])
RETURNING video_id, region, bucket_sec AS start_sec, bucket_sec AS end_sec, viewers, plays
