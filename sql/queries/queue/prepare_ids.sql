-- prepare_ids
-- As prepare_http_ids, for a look that remembers nothing.
SET LOCAL enable_seqscan = off;
SET LOCAL plan_cache_mode = force_custom_plan
