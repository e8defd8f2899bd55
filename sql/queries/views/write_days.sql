-- write_days
-- $1 text[]    videos, locked
-- $2 text[]    regions
-- $3 date[]    days
-- $4 date[]    first days of salt epochs
-- $5 bigint[]  views to add
-- $6 bytea[]   sketches, united with those that were there
INSERT INTO view_days AS d (video_id, region, day, epoch, views, viewers)
SELECT n.video_id, n.region, n.day, n.epoch, n.views, n.viewers::hll
FROM unnest($1::text[], $2::text[], $3::date[], $4::date[], $5::bigint[], $6::bytea[])
    AS n (video_id, region, day, epoch, views, viewers)
ORDER BY n.video_id COLLATE "C", n.region COLLATE "C", n.day
ON CONFLICT (video_id, region, day) DO UPDATE SET views = d.views + EXCLUDED.views, viewers = EXCLUDED.viewers
