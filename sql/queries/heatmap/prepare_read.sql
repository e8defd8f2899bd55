-- prepare_read
-- The lock comes before the snapshot: a partition that is emptied or not kept and dropped in between would otherwise be missed
-- on both sides, as DROP does not wait for snapshots. It keeps nobody from writing.
LOCK TABLE ONLY video_heatmap_whole_shards, ONLY video_heatmap_shards, ONLY video_heatmap_second_shards,
    ONLY video_heatmap_whole, ONLY video_heatmap_runs, ONLY video_heatmap, ONLY video_heatmap_5s, ONLY video_heatmap_60s
    IN ACCESS SHARE MODE;
-- A hashed aggregate keeps 128 KB a group while sketches are united; sorting keeps one group at a time. Plans are made
-- for the days asked for, so that only their partitions are looked at. Sketches are sorted in memory.
SET LOCAL enable_hashagg = off;
SET LOCAL plan_cache_mode = force_custom_plan;
SET LOCAL work_mem = '64MB';
SET LOCAL jit = off;
-- Below the time after which the asker is told that there is no answer: a connection never goes back to the pool busy.
SET LOCAL statement_timeout = '25s'
