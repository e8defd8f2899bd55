-- read_did
-- $1 bigint    member
-- $2 bigint[]  counters
-- Of records that are in no block: when the member last did each.
SELECT a.counter, d.at
FROM unnest($2::bigint[]) AS a (counter)
CROSS JOIN LATERAL (
    SELECT m.at FROM counter_marks AS m WHERE m.counter = a.counter AND m.member = $1
    UNION ALL
    SELECT max(e.at) FROM counter_events AS e WHERE e.counter = a.counter AND e.member = $1 HAVING count(*) > 0
) AS d
