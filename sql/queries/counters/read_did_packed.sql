-- read_did_packed
-- $1 bigint    member
-- $2 bigint[]  counters
-- The blocks that hold records of the member, latest first.
SELECT b.counter, b.members, b.times
FROM counter_blocks AS b
WHERE b.members @> ARRAY[$1::bigint] AND b.counter = ANY ($2)
ORDER BY b.counter, b.last_at DESC
