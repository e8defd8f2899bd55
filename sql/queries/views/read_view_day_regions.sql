-- read_view_day_regions
-- $1 text  video whose lane is locked
-- $2 date  day
SELECT region FROM view_days WHERE video_id = $1 AND day = $2 AND region <> 'GLOBAL'
