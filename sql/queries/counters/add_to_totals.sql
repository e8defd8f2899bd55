-- add_to_totals
-- $1 bigint[]  counters, locked
-- $2 bigint[]  what to add to each
UPDATE counters AS c SET total = c.total + a.delta
FROM unnest($1::bigint[], $2::bigint[]) AS a (counter, delta)
WHERE c.counter = a.counter
