-- read_sums_of_videos
-- $1 text[]  videos, locked
SELECT t.video_id, t.views, t.recent_viewers, t.lifetime_viewers, t.estimated_epochs,
    t.starting_views + t.dropped_views + d.views AS counted_views, r.viewers AS counted_recent
FROM view_totals AS t
CROSS JOIN LATERAL (
    SELECT coalesce(sum(views), 0)::bigint AS views FROM view_days WHERE video_id = t.video_id AND region = 'GLOBAL'
) AS d
CROSS JOIN LATERAL (SELECT count(*) AS viewers FROM recent_views WHERE video_id = t.video_id) AS r
WHERE t.video_id = ANY ($1)
ORDER BY t.video_id
