-- lock_counts
-- Held while canonical rows of closed epochs change, and while they are counted: a count is never older than its rows.
SELECT pg_advisory_xact_lock(hashtext('heatstrip counts'), 0)
