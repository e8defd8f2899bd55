-- read_recents_distributed
-- $1 text[]    videos, whose totals are locked
-- $2 bigint[]  viewers
-- As lock_recents: nobody else changes these rows.
SELECT r.video_id, r.viewer, r.epoch, r.views, r.region, r.first_at, r.last_at, r.first_counted_at, r.last_counted_at
FROM unnest($1::text[], $2::bigint[]) AS k (video_id, viewer)
JOIN recent_views AS r ON r.video_id = k.video_id AND r.viewer = k.viewer
WHERE r.video_id = ANY ($1::text[])
