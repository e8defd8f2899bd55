-- read_shard_videos
-- $1 date    day
-- $2 text    behind this video
-- $3 bigint  most videos
-- The next videos that have shard runs of a day, in order. Each node tells of its own.
SELECT DISTINCT video_id
FROM video_heatmap_shards
WHERE captured_on = $1 AND video_id > $2
ORDER BY video_id
LIMIT $3
