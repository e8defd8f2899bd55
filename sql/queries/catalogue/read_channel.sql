-- read_channel
-- $1 text    channel
-- $2 bigint  most videos
SELECT video_id FROM catalogue WHERE channel = $1 ORDER BY video_id LIMIT $2
