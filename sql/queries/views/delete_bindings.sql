-- delete_bindings
-- $1 date    first day of a salt epoch
-- $2 bigint  bindings at most
DELETE FROM view_bindings AS b
USING (SELECT epoch, device FROM view_bindings WHERE epoch = $1 LIMIT $2) AS taken
WHERE b.epoch = taken.epoch AND b.device = taken.device
