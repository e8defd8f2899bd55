-- read_views_by_day
-- $1 text    video
-- $2 date    first day
-- $3 date    last day
-- $4 text[]  regions: GLOBAL alone, or those to add up; a view is of one region
SELECT day, sum(views)::bigint AS views
FROM view_days
WHERE video_id = $1 AND region = ANY ($4::text[]) AND day BETWEEN $2 AND $3
GROUP BY day
ORDER BY day
