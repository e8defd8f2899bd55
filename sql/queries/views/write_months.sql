-- write_months
-- $1 text[]    videos, locked
-- $2 text[]    regions
-- $3 date[]    first days of months
-- $4 date[]    first days of salt epochs
-- $5 bigint[]  views to add
-- $6 bytea[]   sketches, united with those that were there
INSERT INTO view_months AS m (video_id, region, month, epoch, views, viewers)
SELECT n.video_id, n.region, n.month, n.epoch, n.views, n.viewers::hll
FROM unnest($1::text[], $2::text[], $3::date[], $4::date[], $5::bigint[], $6::bytea[])
    AS n (video_id, region, month, epoch, views, viewers)
ORDER BY n.video_id COLLATE "C", n.region COLLATE "C", n.month, n.epoch
ON CONFLICT (video_id, region, month, epoch)
DO UPDATE SET views = m.views + EXCLUDED.views, viewers = EXCLUDED.viewers
