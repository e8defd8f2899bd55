-- lock_merges
-- Waits until no rows of a device are becoming a user's, and keeps those that would from beginning.
SELECT pg_advisory_xact_lock(hashtext('heatstrip merges'), 0)
