-- update_runs
-- $1 smallint   shard
-- $2 text[]     videos
-- $3 date[]     days of capture
-- $4 text[]     regions
-- $5 integer[]  first seconds
-- $6 integer[]  last seconds
-- $7 bytea[]    sketches
-- $8 bigint[]   plays of each second
-- Unites runs with the rows that are there, found by one look into the index a run, and says which those were. Runs do
-- not overlap, so a row is met once.
UPDATE video_heatmap_shards AS t
SET viewers = t.viewers || r.viewers::hll, plays = t.plays + r.plays
FROM unnest($2::text[], $3::date[], $4::text[], $5::integer[], $6::integer[], $7::bytea[], $8::bigint[])
    WITH ORDINALITY AS r (video_id, captured_on, region, start_sec, end_sec, viewers, plays, ordinal)
WHERE t.video_id = r.video_id AND t.captured_on = r.captured_on AND t.region = r.region
    AND t.bucket_sec BETWEEN r.start_sec AND r.end_sec AND t.shard = $1
RETURNING r.ordinal, t.bucket_sec
