-- read_sketch_columns
SELECT c.relname::text AS table_name, a.attname::text AS column_name, format_type(a.atttypid, a.atttypmod) AS type
FROM pg_attribute AS a
JOIN pg_class AS c ON c.oid = a.attrelid AND c.relkind IN ('r', 'p')
JOIN pg_type AS t ON t.oid = a.atttypid AND t.typname = 'hll'
WHERE c.relnamespace = current_schema()::regnamespace AND NOT a.attisdropped
ORDER BY 1, 2
