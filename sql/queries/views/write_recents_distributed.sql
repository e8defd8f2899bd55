-- write_recents_distributed
-- $1 text[]         videos, whose totals are locked
-- $2 bigint[]       viewers
-- $3 date[]         first days of salt epochs
-- $4 bigint[]       views that counted
-- $5 text[]         regions
-- $6 timestamptz[]  first views
-- $7 timestamptz[]  last views
-- $8 timestamptz[]  first that counted
-- $9 timestamptz[]  last that counted
-- As insert_recents and update_recents.
INSERT INTO recent_views
    (video_id, viewer, epoch, views, region, first_at, last_at, first_counted_at, last_counted_at, last_day)
SELECT n.video_id, n.viewer, n.epoch, n.views, n.region, n.first_at, n.last_at, n.first_counted_at, n.last_counted_at,
    (n.last_at AT TIME ZONE 'UTC')::date
FROM unnest($1::text[], $2::bigint[], $3::date[], $4::bigint[], $5::text[], $6::timestamptz[], $7::timestamptz[],
    $8::timestamptz[], $9::timestamptz[])
    AS n (video_id, viewer, epoch, views, region, first_at, last_at, first_counted_at, last_counted_at)
ORDER BY n.video_id COLLATE "C", n.viewer
ON CONFLICT (video_id, viewer) DO UPDATE SET
    views = EXCLUDED.views, region = EXCLUDED.region, first_at = EXCLUDED.first_at, last_at = EXCLUDED.last_at,
    first_counted_at = EXCLUDED.first_counted_at, last_counted_at = EXCLUDED.last_counted_at, last_day = EXCLUDED.last_day
