-- prepare_http_ids
-- The ring does not turn until the transaction ends, so that its slots are the same for all that commit: read them in a
-- statement of its own, behind this one. Slots fill and are emptied: a plan that was made for an empty one would read all of a
-- full one, and a plan for all slots would lock the one that is about to be emptied.
SET LOCAL enable_seqscan = off;
SET LOCAL plan_cache_mode = force_custom_plan;
SELECT pg_advisory_xact_lock_shared(hashtext('heatstrip batch ids'), 0)
