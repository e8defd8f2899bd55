-- write_runs
-- $1 date       day
-- $2 text[]     videos
-- $3 text[]     regions
-- $4 integer[]  first seconds
-- $5 integer[]  last seconds
-- $6 bytea[]    sketches
-- $7 bigint[]   plays of each second
INSERT INTO video_heatmap_runs AS t (video_id, captured_on, region, start_sec, end_sec, viewers, plays)
SELECT r.video_id, $1, r.region, r.start_sec, r.end_sec, r.viewers::hll, r.plays
FROM unnest($2::text[], $3::text[], $4::integer[], $5::integer[], $6::bytea[], $7::bigint[])
    AS r (video_id, region, start_sec, end_sec, viewers, plays)
ORDER BY r.video_id COLLATE "C", r.region COLLATE "C", r.start_sec
ON CONFLICT (video_id, region, captured_on, start_sec)
DO UPDATE SET end_sec = EXCLUDED.end_sec, viewers = EXCLUDED.viewers, plays = EXCLUDED.plays
