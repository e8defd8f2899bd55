-- read_runs
-- $1 date       day
-- $2 text[]     videos
-- $3 text[]     regions
-- $4 integer    seconds a block
-- $5 integer[]  blocks
-- Where a row lies says which it is for as long as its video is locked.
SELECT ctid::text AS place, video_id, region, start_sec, end_sec, viewers, plays
FROM video_heatmap_runs
WHERE captured_on = $1 AND video_id = ANY ($2::text[]) AND region = ANY ($3::text[]) AND start_sec / $4 = ANY ($5::integer[])
