-- set_merged
-- $1 date    first day of the salt epoch
-- $2 bigint  device
-- $3 bigint  user that its rows became
UPDATE view_bindings SET merged = true WHERE epoch = $1 AND device = $2 AND viewer = $3
