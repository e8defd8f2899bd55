-- update_counters
-- $1 bigint[]  counters, locked
-- $2 bigint[]  totals
-- $3 bigint[]  last seqs
UPDATE counters AS c SET total = a.total, last_seq = a.last_seq
FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS a (counter, total, last_seq)
WHERE c.counter = a.counter
