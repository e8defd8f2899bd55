-- prepare_nightly
-- A piece of the nightly job may take minutes, and unites sketches one group at a time. Plans are made for the days that it
-- names, so that no partition of other days is locked or looked at.
SET LOCAL statement_timeout = '15min';
SET LOCAL plan_cache_mode = force_custom_plan;
SET LOCAL enable_hashagg = off;
SET LOCAL work_mem = '64MB';
SET LOCAL jit = off
