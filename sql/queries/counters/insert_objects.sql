-- insert_objects
-- $1 text[]  types of objects
-- $2 text[]  ids of objects
-- Sorted, so that two who make the same objects do not wait for each other in a circle.
INSERT INTO counter_objects (object_type, object_id)
SELECT DISTINCT a.object_type, a.object_id
FROM unnest($1::text[], $2::text[]) AS a (object_type, object_id)
WHERE NOT EXISTS (
    SELECT 1 FROM counter_objects AS o WHERE o.object_type = a.object_type AND o.object_id = a.object_id
)
ORDER BY a.object_type, a.object_id
ON CONFLICT (object_type, object_id) DO NOTHING
