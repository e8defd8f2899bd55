-- erase_marks
-- $1 bigint    member
-- $2 bigint[]  counters, locked
DELETE FROM counter_marks AS r
USING unnest($2::bigint[]) AS a (counter)
WHERE r.counter = a.counter AND r.member = $1
RETURNING r.counter, 1 AS delta
