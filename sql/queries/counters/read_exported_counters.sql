-- read_exported_counters
-- $1 bigint  counter to begin behind
-- $2 bigint  rows at most
SELECT c.counter, c.kind, c.starting, o.object_type, o.object_id
FROM counters AS c
JOIN counter_objects AS o ON o.object = c.object
WHERE c.counter > $1
ORDER BY c.counter
LIMIT $2
