-- write_wholes
-- $1 date       day
-- $2 text[]     videos
-- $3 text[]     regions, GLOBAL too
-- $4 integer[]  last seconds
-- $5 bytea[]    sketches, united with those that were there
-- $6 bigint[]   plays, those that were there included
-- $7 bigint[]   heartbeats, likewise
INSERT INTO video_heatmap_whole AS t (video_id, captured_on, region, last_sec, viewers, plays, heartbeats)
SELECT w.video_id, $1, w.region, w.last_sec, w.viewers::hll, w.plays, w.heartbeats
FROM unnest($2::text[], $3::text[], $4::integer[], $5::bytea[], $6::bigint[], $7::bigint[])
    AS w (video_id, region, last_sec, viewers, plays, heartbeats)
ORDER BY w.video_id COLLATE "C", w.region COLLATE "C"
ON CONFLICT (video_id, region, captured_on)
DO UPDATE SET last_sec = EXCLUDED.last_sec, viewers = EXCLUDED.viewers, plays = EXCLUDED.plays,
    heartbeats = EXCLUDED.heartbeats
