-- prepare_audience_distributed
-- As prepare_audience. Whoever drops a partition comes through the coordinator, so its lock is enough.
SET LOCAL citus.enable_ddl_propagation = off;
LOCK TABLE ONLY sampled_watches IN ACCESS SHARE MODE;
SET LOCAL plan_cache_mode = force_custom_plan;
SET LOCAL jit = off;
SET LOCAL citus.node_connection_timeout = '5s';
SET LOCAL statement_timeout = '25s'
