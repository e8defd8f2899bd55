-- lock_recents
-- $1 text[]    videos
-- $2 bigint[]  viewers
-- Sorted: whoever locks several rows takes them in one order.
SELECT r.video_id, r.viewer, r.epoch, r.views, r.region, r.first_at, r.last_at, r.first_counted_at, r.last_counted_at
FROM unnest($1::text[], $2::bigint[]) AS k (video_id, viewer)
JOIN recent_views AS r ON r.video_id = k.video_id AND r.viewer = k.viewer
ORDER BY r.video_id, r.viewer
FOR UPDATE OF r
