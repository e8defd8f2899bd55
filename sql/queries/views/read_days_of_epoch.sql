-- read_days_of_epoch
-- $1 text  video, locked
-- $2 date  first day of the salt epoch
-- $3 date  first day
-- $4 date  last day
SELECT region, views, viewers
FROM view_days
WHERE video_id = $1 AND epoch = $2 AND day BETWEEN $3 AND $4
ORDER BY region, day
