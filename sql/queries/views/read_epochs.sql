-- read_epochs
-- $1 text[]  videos, locked
-- $2 date[]  first days of salt epochs
SELECT e.video_id, e.epoch, e.viewers
FROM unnest($1::text[], $2::date[]) AS k (video_id, epoch)
JOIN view_epochs AS e ON e.video_id = k.video_id AND e.epoch = k.epoch
