-- heal_counters
-- $1 bigint[]  counters, locked
-- $2 bigint[]  what to add to each total
-- $3 bigint[]  the highest seq of a record of each
UPDATE counters AS c SET total = c.total + a.delta, last_seq = greatest(c.last_seq, a.record_seq)
FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS a (counter, delta, record_seq)
WHERE c.counter = a.counter
