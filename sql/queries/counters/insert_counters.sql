-- insert_counters
-- $1 text[]      types of objects
-- $2 text[]      ids of objects
-- $3 smallint[]  kinds
-- Sorted, as objects are.
INSERT INTO counters (object, kind)
SELECT o.object, a.kind
FROM unnest($1::text[], $2::text[], $3::smallint[]) AS a (object_type, object_id, kind)
JOIN counter_objects AS o ON o.object_type = a.object_type AND o.object_id = a.object_id
WHERE NOT EXISTS (SELECT 1 FROM counters AS c WHERE c.object = o.object AND c.kind = a.kind)
ORDER BY o.object, a.kind
ON CONFLICT (object, kind) DO NOTHING
