-- upsert_runs
-- $1 smallint   shard
-- $2 text[]     videos
-- $3 date[]     days of capture
-- $4 text[]     regions
-- $5 integer[]  first seconds
-- $6 integer[]  last seconds
-- $7 bytea[]    sketches
-- $8 bigint[]   plays of each second
-- Runs do not overlap, so a row is met once. What is there is updated, found by one look into the index a run; the rest
-- is inserted. INSERT … ON CONFLICT would look for every second twice and write a row's lock and its confirmation to the
-- log too. A row that somebody inserts in between is a unique violation: the transaction is undone and tried again.
WITH runs AS MATERIALIZED (
    SELECT video_id, captured_on, region, start_sec, end_sec, viewers::hll AS viewers, plays, ordinal
    FROM unnest($2::text[], $3::date[], $4::text[], $5::integer[], $6::integer[], $7::bytea[], $8::bigint[])
        WITH ORDINALITY AS r (video_id, captured_on, region, start_sec, end_sec, viewers, plays, ordinal)
), updated AS (
    UPDATE video_heatmap_shards AS t
    SET viewers = t.viewers || r.viewers, plays = t.plays + r.plays
    FROM runs AS r
    WHERE t.video_id = r.video_id AND t.captured_on = r.captured_on AND t.region = r.region
        AND t.bucket_sec BETWEEN r.start_sec AND r.end_sec AND t.shard = $1
    RETURNING r.ordinal, t.bucket_sec
)
INSERT INTO video_heatmap_shards (video_id, captured_on, region, bucket_sec, shard, viewers, plays)
SELECT r.video_id, r.captured_on, r.region, s.bucket_sec, $1, r.viewers, r.plays
FROM runs AS r
CROSS JOIN LATERAL generate_series(r.start_sec, r.end_sec) AS s (bucket_sec)
WHERE NOT EXISTS (SELECT FROM updated AS u WHERE u.ordinal = r.ordinal AND u.bucket_sec = s.bucket_sec)
