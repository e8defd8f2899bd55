-- upsert_whole
-- $1 text[]     videos
-- $2 date[]     days of capture
-- $3 text[]     regions
-- $4 integer[]  last seconds
-- $5 bytea[]    sketches
-- $6 bigint[]   plays of all seconds
INSERT INTO video_heatmap_whole_shards AS t (video_id, captured_on, region, last_sec, viewers, plays)
SELECT w.video_id, w.captured_on, w.region, w.last_sec, w.viewers::hll, w.plays
FROM unnest($1::text[], $2::date[], $3::text[], $4::integer[], $5::bytea[], $6::bigint[])
    AS w (video_id, captured_on, region, last_sec, viewers, plays)
ORDER BY w.video_id COLLATE "C", w.captured_on, w.region COLLATE "C"
ON CONFLICT (video_id, captured_on, region)
DO UPDATE SET viewers = t.viewers || EXCLUDED.viewers, plays = t.plays + EXCLUDED.plays,
    last_sec = greatest(t.last_sec, EXCLUDED.last_sec)
