-- lock_counters
-- $1 text[]      types of objects
-- $2 text[]      ids of objects
-- $3 smallint[]  kinds
-- Everybody who changes counters locks them first and in this order: nobody waits for another in a circle. The place counts
-- from 1 in the arrays.
SELECT a.place, c.counter, c.total, c.last_seq, c.packed_seq
FROM unnest($1::text[], $2::text[], $3::smallint[]) WITH ORDINALITY AS a (object_type, object_id, kind, place)
JOIN counter_objects AS o ON o.object_type = a.object_type AND o.object_id = a.object_id
JOIN counters AS c ON c.object = o.object AND c.kind = a.kind
ORDER BY c.counter
FOR NO KEY UPDATE OF c
