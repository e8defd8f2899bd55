-- read_months
-- $1 text[]  videos, locked
-- $2 text[]  regions
-- $3 date[]  first days of months
-- $4 date[]  first days of salt epochs
SELECT m.video_id, m.region, m.month, m.epoch, m.viewers
FROM unnest($1::text[], $2::text[], $3::date[], $4::date[]) AS k (video_id, region, month, epoch)
JOIN view_months AS m
    ON m.video_id = k.video_id AND m.region = k.region AND m.month = k.month AND m.epoch = k.epoch
