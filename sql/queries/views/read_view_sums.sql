-- read_view_sums
-- $1 text    video to begin behind
-- $2 bigint  videos at most
-- Totals beside what they count, in one snapshot: both change in one transaction.
SELECT t.video_id, t.views, t.recent_viewers, t.lifetime_viewers, t.estimated_epochs,
    t.starting_views + t.dropped_views + d.views AS counted_views, r.viewers AS counted_recent
FROM (SELECT * FROM view_totals WHERE video_id > $1 ORDER BY video_id LIMIT $2) AS t
CROSS JOIN LATERAL (
    SELECT coalesce(sum(views), 0)::bigint AS views FROM view_days WHERE video_id = t.video_id AND region = 'GLOBAL'
) AS d
CROSS JOIN LATERAL (SELECT count(*) AS viewers FROM recent_views WHERE video_id = t.video_id) AS r
ORDER BY t.video_id
