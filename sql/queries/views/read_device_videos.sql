-- read_device_videos
-- $1 bigint  viewer
-- $2 text    video to begin behind
-- $3 bigint  rows at most
SELECT video_id FROM recent_views WHERE viewer = $1 AND video_id > $2 ORDER BY video_id LIMIT $3
