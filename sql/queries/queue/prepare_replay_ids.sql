-- prepare_replay_ids
-- As prepare_http_ids, for the ring of replayed chunks, whose first slot is 3.
SET LOCAL enable_seqscan = off;
SET LOCAL plan_cache_mode = force_custom_plan;
SELECT pg_advisory_xact_lock_shared(hashtext('heatstrip batch ids'), 3)
