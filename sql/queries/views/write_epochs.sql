-- write_epochs
-- $1 text[]   videos, locked
-- $2 date[]   first days of salt epochs
-- $3 bytea[]  sketches, united with those that were there
INSERT INTO view_epochs (video_id, epoch, viewers)
SELECT n.video_id, n.epoch, n.viewers::hll
FROM unnest($1::text[], $2::date[], $3::bytea[]) AS n (video_id, epoch, viewers)
ORDER BY n.video_id COLLATE "C", n.epoch
ON CONFLICT (video_id, epoch) DO UPDATE SET viewers = EXCLUDED.viewers
