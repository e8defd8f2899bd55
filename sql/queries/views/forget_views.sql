-- forget_views
-- $1 text  video whose lane is locked
WITH recents AS (
    DELETE FROM recent_views WHERE video_id = $1 RETURNING 1
), totals AS (
    DELETE FROM view_totals WHERE video_id = $1
), epochs AS (
    DELETE FROM view_epochs WHERE video_id = $1
), months AS (
    DELETE FROM view_months WHERE video_id = $1
), days AS (
    DELETE FROM view_days WHERE video_id = $1 AND region = 'GLOBAL' RETURNING views
), regions AS (
    DELETE FROM view_days WHERE video_id = $1 AND region <> 'GLOBAL'
)
SELECT (SELECT count(*) FROM recents) AS viewers, (SELECT coalesce(sum(views), 0)::bigint FROM days) AS views
