-- read_hll_version
-- The parallel aggregates, which the reads rely on, came with 2.15.
SELECT string_to_array(extversion, '.')::integer[] >= ARRAY[2, 15] AS supported, extversion
FROM pg_extension
WHERE extname = 'hll'
