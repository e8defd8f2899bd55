-- delete_view_epoch
-- $1 text  video, locked
-- $2 date  first day of the salt epoch
DELETE FROM view_epochs WHERE video_id = $1 AND epoch = $2
