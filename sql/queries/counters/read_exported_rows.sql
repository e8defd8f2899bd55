-- read_exported_rows
-- $1 bigint[]  counters
-- Nobody who is being erased.
SELECT r.counter, r.seq, r.at, r.delta, n.member_id
FROM (
    SELECT counter, seq, at, 1 AS delta, member FROM counter_marks WHERE counter = ANY ($1)
    UNION ALL
    SELECT counter, seq, at, delta, member FROM counter_events WHERE counter = ANY ($1)
) AS r
JOIN counter_members AS n ON n.member = r.member AND n.member_id IS NOT NULL
ORDER BY r.counter, r.seq
