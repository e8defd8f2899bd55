-- write_global_whole
-- $1 text  video, whose days are locked
-- $2 date  day, whose GLOBAL row is gone
INSERT INTO video_heatmap_whole (video_id, captured_on, region, last_sec, viewers, plays, heartbeats)
SELECT $1, $2, 'GLOBAL', max(last_sec), hll_union_agg(viewers), sum(plays)::bigint, sum(heartbeats)::bigint
FROM video_heatmap_whole
WHERE video_id = $1 AND captured_on = $2 AND region <> 'GLOBAL'
HAVING count(*) > 0
