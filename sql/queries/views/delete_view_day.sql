-- delete_view_day
-- $1 text  video, locked
-- $2 date  day
DELETE FROM view_days WHERE video_id = $1 AND day = $2 RETURNING region, epoch, views
