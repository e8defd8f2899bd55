-- upsert_runs
-- $1 smallint   shard
-- $2 text[]     videos
-- $3 date[]     days of capture
-- $4 text[]     regions
-- $5 integer[]  first seconds
-- $6 integer[]  last seconds
-- $7 bytea[]    sketches
-- $8 bigint[]   plays of each second
-- Runs do not overlap, so a row is met once; sorted as the primary key, so that writers lock rows in one order.
INSERT INTO video_heatmap_shards AS t (video_id, captured_on, region, bucket_sec, shard, viewers, plays)
SELECT r.video_id, r.captured_on, r.region, s.bucket_sec, $1, r.viewers::hll, r.plays
FROM unnest($2::text[], $3::date[], $4::text[], $5::integer[], $6::integer[], $7::bytea[], $8::bigint[])
    AS r (video_id, captured_on, region, start_sec, end_sec, viewers, plays)
CROSS JOIN LATERAL generate_series(r.start_sec, r.end_sec) AS s (bucket_sec)
ORDER BY r.video_id COLLATE "C", r.captured_on, r.region COLLATE "C", s.bucket_sec
ON CONFLICT (video_id, captured_on, region, bucket_sec, shard)
DO UPDATE SET viewers = t.viewers || EXCLUDED.viewers, plays = t.plays + EXCLUDED.plays
