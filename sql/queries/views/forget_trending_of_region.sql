-- forget_trending_of_region
-- $1 text  video
-- $2 text  region
DELETE FROM trending WHERE video_id = $1 AND region = $2
