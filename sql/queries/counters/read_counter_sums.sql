-- read_counter_sums
-- $1 bigint  counter to begin behind
-- $2 bigint  rows at most
-- Counters beside the sums of their records outside of blocks, in one snapshot: a total and its records change together.
SELECT c.counter, c.kind, c.total, c.starting, c.last_seq,
    coalesce(m.marks, 0)::bigint AS marks, coalesce(e.sum, 0)::bigint AS events,
    greatest(m.last_seq, e.last_seq, 0)::bigint AS record_seq
FROM (SELECT * FROM counters WHERE counter > $1 ORDER BY counter LIMIT $2) AS c
LEFT JOIN LATERAL (
    SELECT count(*) AS marks, max(seq) AS last_seq FROM counter_marks AS r WHERE r.counter = c.counter
) AS m ON true
LEFT JOIN LATERAL (
    SELECT sum(delta) AS sum, max(seq) AS last_seq FROM counter_events AS r WHERE r.counter = c.counter
) AS e ON true
ORDER BY c.counter
