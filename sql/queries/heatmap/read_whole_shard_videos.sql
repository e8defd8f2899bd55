-- read_whole_shard_videos
-- $1 date    day
-- $2 text    behind this video
-- $3 bigint  most videos
-- As read_shard_videos, of whole videos.
SELECT DISTINCT video_id
FROM video_heatmap_whole_shards
WHERE captured_on = $1 AND video_id > $2
ORDER BY video_id
LIMIT $3
