-- citus_read_undistributed
-- $1 text[]  tables
-- Those of the tables that are not distributed, in their order.
SELECT t.name
FROM unnest($1::text[]) WITH ORDINALITY AS t (name, place)
WHERE NOT EXISTS (SELECT 1 FROM pg_dist_partition AS p WHERE p.logicalrelid = t.name::regclass)
ORDER BY t.place
