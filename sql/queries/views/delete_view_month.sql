-- delete_view_month
-- $1 text  video, locked
-- $2 date  first day of the month
-- $3 date  first day of the salt epoch
DELETE FROM view_months WHERE video_id = $1 AND month = $2 AND epoch = $3
