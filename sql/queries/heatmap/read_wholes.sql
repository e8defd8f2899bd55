-- read_wholes
-- $1 date    day
-- $2 text[]  videos
SELECT video_id, region, last_sec, viewers, plays, heartbeats
FROM video_heatmap_whole
WHERE captured_on = $1 AND video_id = ANY ($2::text[])
