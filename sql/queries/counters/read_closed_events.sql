-- read_closed_events
-- $1 bigint  counter, locked
-- $2 bigint  rows at most
SELECT seq, member, at, delta
FROM counter_events
WHERE counter = $1
ORDER BY counter, seq
LIMIT $2
