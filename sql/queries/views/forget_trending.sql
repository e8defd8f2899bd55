-- forget_trending
-- $1 text  video
DELETE FROM trending WHERE video_id = $1
