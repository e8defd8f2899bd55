-- upsert_whole
-- $1 smallint   shard
-- $2 text[]     videos
-- $3 date[]     days of capture
-- $4 text[]     regions
-- $5 integer[]  last seconds
-- $6 bytea[]    sketches
-- $7 bigint[]   plays of all seconds
INSERT INTO video_heatmap_whole_shards AS t (video_id, captured_on, region, shard, last_sec, viewers, plays)
SELECT w.video_id, w.captured_on, w.region, $1, w.last_sec, w.viewers::hll, w.plays
FROM unnest($2::text[], $3::date[], $4::text[], $5::integer[], $6::bytea[], $7::bigint[])
    AS w (video_id, captured_on, region, last_sec, viewers, plays)
ORDER BY w.video_id COLLATE "C", w.captured_on, w.region COLLATE "C"
ON CONFLICT (video_id, captured_on, region, shard)
DO UPDATE SET viewers = t.viewers || EXCLUDED.viewers, plays = t.plays + EXCLUDED.plays,
    last_sec = greatest(t.last_sec, EXCLUDED.last_sec)
