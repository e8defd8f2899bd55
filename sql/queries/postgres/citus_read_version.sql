-- citus_read_version
-- Prepares without Citus too: the extension may be missing.
SELECT extversion FROM pg_extension WHERE extname = 'citus'
