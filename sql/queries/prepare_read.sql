-- prepare_read
-- A hashed aggregate keeps 128 KB a group while sketches are united; sorting keeps one group at a time. Plans are made
-- for the days asked for, so that only their partitions are looked at. Sketches are sorted in memory.
SET LOCAL enable_hashagg = off;
SET LOCAL plan_cache_mode = force_custom_plan;
SET LOCAL work_mem = '64MB';
SET LOCAL jit = off
