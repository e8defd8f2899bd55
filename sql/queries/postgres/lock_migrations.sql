-- lock_migrations
-- Held by the session, as refinery runs a transaction a file.
SELECT pg_advisory_lock(hashtext('heatstrip migrations'), 0)
