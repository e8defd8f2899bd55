-- read_sums_of_counters
-- $1 bigint[]  counters, locked
SELECT c.counter, c.kind, c.total, c.starting, c.last_seq,
    coalesce(m.marks, 0)::bigint AS marks, coalesce(e.sum, 0)::bigint AS events,
    greatest(m.last_seq, e.last_seq, 0)::bigint AS record_seq
FROM counters AS c
LEFT JOIN LATERAL (
    SELECT count(*) AS marks, max(seq) AS last_seq FROM counter_marks AS r WHERE r.counter = c.counter
) AS m ON true
LEFT JOIN LATERAL (
    SELECT sum(delta) AS sum, max(seq) AS last_seq FROM counter_events AS r WHERE r.counter = c.counter
) AS e ON true
WHERE c.counter = ANY ($1)
ORDER BY c.counter
