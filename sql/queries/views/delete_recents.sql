-- delete_recents
-- $1 text[]    videos, locked
-- $2 bigint[]  viewers
DELETE FROM recent_views AS r
USING unnest($1::text[], $2::bigint[]) AS k (video_id, viewer)
WHERE r.video_id = k.video_id AND r.viewer = k.viewer
