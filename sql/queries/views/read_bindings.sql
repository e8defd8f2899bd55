-- read_bindings
-- $1 date[]    first days of salt epochs
-- $2 bigint[]  viewers
-- Those of the viewers that are devices, and the users they are bound to.
SELECT b.epoch, b.device, b.viewer
FROM unnest($1::date[], $2::bigint[]) AS v (epoch, viewer)
JOIN view_bindings AS b ON b.epoch = v.epoch AND b.device = v.viewer
