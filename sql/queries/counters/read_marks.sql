-- read_marks
-- $1 bigint[]  counters
-- $2 bigint[]  members
SELECT m.counter, m.member, m.seq, m.at
FROM unnest($1::bigint[], $2::bigint[]) AS a (counter, member)
JOIN counter_marks AS m ON m.counter = a.counter AND m.member = a.member
