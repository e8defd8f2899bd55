-- erase_events
-- $1 bigint    member
-- $2 bigint[]  counters, locked
-- $3 bigint    rows of a counter at most
DELETE FROM counter_events AS r
USING unnest($2::bigint[]) AS a (counter)
CROSS JOIN LATERAL (
    SELECT e.seq FROM counter_events AS e WHERE e.counter = a.counter AND e.member = $1 LIMIT $3
) AS f
WHERE r.counter = a.counter AND r.seq = f.seq
RETURNING r.counter, r.delta
