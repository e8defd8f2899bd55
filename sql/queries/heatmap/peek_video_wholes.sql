-- peek_video_wholes
-- $1 date    day
-- $2 text    video
-- $3 text    the piece begins behind this region
-- $4 bigint  most rows
-- As peek_wholes, of one video.
SELECT video_id, region
FROM video_heatmap_whole_shards
WHERE captured_on = $1 AND video_id = $2 AND region > $3
ORDER BY video_id, captured_on, region
LIMIT $4
