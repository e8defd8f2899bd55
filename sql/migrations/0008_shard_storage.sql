-- How shard rows lie on disk.

-- A popular video's rows are written again by every window. Half of each page is left to their next versions, so that
-- these stay on their page and need no index entry (HOT); of a third, two updates in five found no room. Partitions that
-- are there already keep what they have.
CREATE OR REPLACE FUNCTION ensure_shard_partition(day date) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    storage CONSTANT text := 'fillfactor = 50, toast_tuple_target = 4080, autovacuum_vacuum_scale_factor = 0.05';
    suffix CONSTANT text := to_char(day, '"_"YYYYMMDD');
BEGIN
    PERFORM ensure_partition('video_heatmap_shards', 'video_heatmap_shards' || suffix, day, day + 1, storage);
    PERFORM ensure_partition('video_heatmap_whole_shards', 'video_heatmap_whole_shards' || suffix, day, day + 1, storage);
END $$;
