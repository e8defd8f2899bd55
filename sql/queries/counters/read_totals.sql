-- read_totals
-- $1 text[]      types of objects
-- $2 text[]      ids of objects
-- $3 smallint[]  kinds, NULL for all
-- The place counts from 1 in the arrays of objects.
SELECT a.place, c.counter, c.kind, c.total
FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS a (object_type, object_id, place)
JOIN counter_objects AS o ON o.object_type = a.object_type AND o.object_id = a.object_id
JOIN counters AS c ON c.object = o.object
WHERE $3::smallint[] IS NULL OR c.kind = ANY ($3)
