-- prepare_audience
-- The lock comes before the snapshot: a partition that is dropped in between would otherwise be missed, as DROP does not
-- wait for snapshots. It keeps nobody from writing. Plans are made for the days asked for, so that only their partitions are
-- looked at.
LOCK TABLE ONLY sampled_watches IN ACCESS SHARE MODE;
SET LOCAL plan_cache_mode = force_custom_plan;
SET LOCAL jit = off;
-- Below the time after which the asker is told that there is no answer: a connection never goes back to the pool busy.
SET LOCAL statement_timeout = '25s'
