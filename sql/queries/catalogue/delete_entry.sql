-- delete_entry
-- $1 text  video
DELETE FROM catalogue WHERE video_id = $1
