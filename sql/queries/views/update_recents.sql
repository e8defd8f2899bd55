-- update_recents
-- $1 text[]         videos, locked
-- $2 bigint[]       viewers
-- $3 bigint[]       views that counted
-- $4 timestamptz[]  first views
-- $5 timestamptz[]  last views
-- $6 timestamptz[]  first that counted
-- $7 timestamptz[]  last that counted
-- $8 text[]         regions, which change only where a viewer's earlier views are merged in
UPDATE recent_views AS r
SET views = n.views, region = n.region, first_at = n.first_at, last_at = n.last_at, first_counted_at = n.first_counted_at,
    last_counted_at = n.last_counted_at, last_day = (n.last_at AT TIME ZONE 'UTC')::date
FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::timestamptz[], $5::timestamptz[], $6::timestamptz[],
    $7::timestamptz[], $8::text[])
    AS n (video_id, viewer, views, first_at, last_at, first_counted_at, last_counted_at, region)
WHERE r.video_id = n.video_id AND r.viewer = n.viewer
