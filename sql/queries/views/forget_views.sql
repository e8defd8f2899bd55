-- forget_views
-- $1 text  video whose lane is locked
WITH totals AS (
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
SELECT coalesce(sum(views), 0)::bigint AS views FROM days
