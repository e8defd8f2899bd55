-- set_starting
-- $1 bigint[]  counters, locked
-- $2 bigint[]  what was counted before there were records
-- $3 bigint[]  totals
UPDATE counters AS c SET starting = a.starting, total = a.total
FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS a (counter, starting, total)
WHERE c.counter = a.counter
