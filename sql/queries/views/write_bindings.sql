-- write_bindings
-- $1 date[]    first days of salt epochs
-- $2 bigint[]  devices
-- $3 bigint[]  users
INSERT INTO view_bindings (epoch, device, viewer)
SELECT b.epoch, b.device, b.viewer
FROM unnest($1::date[], $2::bigint[], $3::bigint[]) AS b (epoch, device, viewer)
ORDER BY b.epoch, b.device
ON CONFLICT (epoch, device) DO UPDATE SET viewer = EXCLUDED.viewer, merged = false
