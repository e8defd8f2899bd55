-- delete_global_view_days
-- $1 text    video, locked
-- $2 date[]  days
DELETE FROM view_days WHERE video_id = $1 AND region = 'GLOBAL' AND day = ANY ($2::date[])
