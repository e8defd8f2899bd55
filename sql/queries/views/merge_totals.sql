-- merge_totals
-- $1 text[]    videos, locked
-- $2 bigint[]  rows that became another viewer's
-- $3 bigint[]  those of them that were merged into a row that there was
UPDATE view_totals AS t
SET recent_viewers = t.recent_viewers - n.merged, merged_viewers = t.merged_viewers + n.moved
FROM unnest($1::text[], $2::bigint[], $3::bigint[]) AS n (video_id, moved, merged)
WHERE t.video_id = n.video_id
