-- forget_recents
-- $1 text  video whose lane is locked
DELETE FROM recent_views WHERE video_id = $1
