-- read_blocks_of_member
-- $1 bigint    member
-- $2 bigint[]  counters, locked
-- $3 bigint    rows at most
SELECT counter, first_seq, members, times
FROM counter_blocks
WHERE members @> ARRAY[$1::bigint] AND counter = ANY ($2)
LIMIT $3
