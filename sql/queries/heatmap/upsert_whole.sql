-- upsert_whole
-- $1 text[]     videos
-- $2 date[]     days of capture
-- $3 text[]     regions
-- $4 integer[]  last seconds
-- $5 bytea[]    sketches
-- $6 bigint[]   plays of all seconds
-- $7 bigint[]   heartbeats
INSERT INTO video_heatmap_whole_shards AS t (video_id, captured_on, region, last_sec, viewers, plays, heartbeats)
SELECT w.video_id, w.captured_on, w.region, w.last_sec, w.viewers::hll, w.plays, w.heartbeats
FROM unnest($1::text[], $2::date[], $3::text[], $4::integer[], $5::bytea[], $6::bigint[], $7::bigint[])
    AS w (video_id, captured_on, region, last_sec, viewers, plays, heartbeats)
ORDER BY w.video_id COLLATE "C", w.captured_on, w.region COLLATE "C"
ON CONFLICT (video_id, captured_on, region)
DO UPDATE SET viewers = t.viewers || EXCLUDED.viewers, plays = t.plays + EXCLUDED.plays,
    heartbeats = t.heartbeats + EXCLUDED.heartbeats, last_sec = greatest(t.last_sec, EXCLUDED.last_sec)
