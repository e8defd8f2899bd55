-- raise_bounds
-- $1 date      first day of the month
-- $2 text[]    videos
-- $3 text[]    regions, GLOBAL too
-- $4 bigint[]  viewers that were added to each
INSERT INTO video_heatmap_bounds AS b (video_id, region, month, viewers)
SELECT a.video_id, a.region, $1, a.viewers
FROM unnest($2::text[], $3::text[], $4::bigint[]) AS a (video_id, region, viewers)
ORDER BY a.video_id COLLATE "C", a.region COLLATE "C"
ON CONFLICT (video_id, region, month) DO UPDATE SET viewers = b.viewers + EXCLUDED.viewers
