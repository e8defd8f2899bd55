-- delete_marks
-- $1 bigint[]  counters
-- $2 bigint[]  seqs
DELETE FROM counter_marks AS m
USING unnest($1::bigint[], $2::bigint[]) AS a (counter, seq)
WHERE m.counter = a.counter AND m.seq = a.seq
