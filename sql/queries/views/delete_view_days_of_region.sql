-- delete_view_days_of_region
-- $1 text  video, locked
-- $2 text  region
-- $3 date  day, NULL for all
DELETE FROM view_days WHERE video_id = $1 AND region = $2 AND day = coalesce($3, day) RETURNING day, epoch, views
