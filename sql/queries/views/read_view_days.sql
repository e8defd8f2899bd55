-- read_view_days
-- $1 text  video
-- $2 date  first day that is kept
SELECT min(day) AS first_day, max(day) AS last_day
FROM view_days
WHERE video_id = $1 AND region = 'GLOBAL' AND day >= $2
