-- share_merges
-- Whoever removes a video waits until this transaction ends.
SELECT pg_advisory_xact_lock_shared(hashtext('heatstrip merges'), 0)
