-- archive_totals
-- $1 text[]    videos, locked
-- $2 bigint[]  rows of recent_views that were taken
UPDATE view_totals AS t
SET recent_viewers = t.recent_viewers - n.viewers, archived_viewers = t.archived_viewers + n.viewers
FROM unnest($1::text[], $2::bigint[]) AS n (video_id, viewers)
WHERE t.video_id = n.video_id
