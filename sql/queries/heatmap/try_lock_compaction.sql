-- try_lock_compaction
-- One night at a time.
SELECT pg_try_advisory_xact_lock(hashtext('heatstrip compaction'), 0) AS locked
