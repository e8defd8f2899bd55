-- citus_read_size
-- $1 text[]  tables
-- What the tables and their partitions take on the nodes that answer, indexes included.
SELECT coalesce(sum(citus_total_relation_size(r.oid, fail_on_error => false)), 0)::bigint AS bytes
FROM (
    SELECT t.name::regclass AS oid FROM unnest($1::text[]) AS t (name)
    UNION ALL
    SELECT i.inhrelid FROM unnest($1::text[]) AS t (name) JOIN pg_inherits AS i ON i.inhparent = t.name::regclass
) AS r
