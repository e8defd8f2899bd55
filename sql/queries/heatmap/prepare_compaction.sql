-- prepare_compaction
-- A piece is found and taken through the primary key, whatever the statistics of a partition that fills and empties say;
-- a hashed aggregate would keep 128 KB a group while sketches are united.
SET LOCAL enable_seqscan = off;
SET LOCAL enable_bitmapscan = off;
SET LOCAL enable_hashjoin = off;
SET LOCAL enable_mergejoin = off;
SET LOCAL enable_hashagg = off;
SET LOCAL plan_cache_mode = force_custom_plan;
SET LOCAL work_mem = '64MB';
SET LOCAL jit = off
