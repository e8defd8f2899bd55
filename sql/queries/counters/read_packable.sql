-- read_packable
-- $1 bigint  counter to begin behind
-- $2 bigint  rows at most
SELECT counter FROM counter_pack_queue WHERE counter > $1 ORDER BY counter LIMIT $2
