-- delete_unkept_view_days
-- $1 text[]  videos, locked
-- $2 date    days before this one are not kept
-- Their views stay in the total; a month of which not all days are kept is of no use any more.
WITH months AS (
    DELETE FROM view_months WHERE video_id = ANY ($1) AND month < $2
), days AS (
    DELETE FROM view_days WHERE video_id = ANY ($1) AND day < $2 RETURNING video_id, region, views
), dropped AS (
    SELECT video_id, sum(views)::bigint AS views FROM days WHERE region = 'GLOBAL' GROUP BY video_id
), totals AS (
    UPDATE view_totals AS t SET dropped_views = t.dropped_views + dropped.views
    FROM dropped WHERE t.video_id = dropped.video_id
)
SELECT count(*) AS rows FROM days
