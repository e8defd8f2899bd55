-- prepare_read_distributed
-- As prepare_read. Whoever drops a partition comes through the coordinator, so its locks are enough: a node that is down keeps
-- nobody from the videos of the others.
SET LOCAL citus.enable_ddl_propagation = off;
LOCK TABLE ONLY video_heatmap_whole_shards, ONLY video_heatmap_shards, ONLY video_heatmap_second_shards,
    ONLY video_heatmap_whole, ONLY video_heatmap_runs, ONLY video_heatmap, ONLY video_heatmap_5s, ONLY video_heatmap_60s
    IN ACCESS SHARE MODE;
SET LOCAL plan_cache_mode = force_custom_plan;
SET LOCAL work_mem = '64MB';
SET LOCAL jit = off;
-- A node that does not even refuse is given up long before the statement is.
SET LOCAL citus.node_connection_timeout = '5s';
SET LOCAL statement_timeout = '25s'
