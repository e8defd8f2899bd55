-- try_lock_compaction
-- Held by the session: one job at a time.
SELECT pg_try_advisory_lock(hashtext('heatstrip compaction'), 0) AS locked
