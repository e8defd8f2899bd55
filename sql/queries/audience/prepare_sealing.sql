-- prepare_sealing
-- Plans are made for the day that is sealed, so that no other day's partition is locked.
SET LOCAL plan_cache_mode = force_custom_plan
