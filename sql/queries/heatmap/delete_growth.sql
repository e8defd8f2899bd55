-- delete_growth
-- $1 date  day
-- Counts of videos of which no shard run is left. What a fold that is under way appends to one of them is counted in the
-- row that goes, and is less than the trigger: had it passed a multiple, it is compacted at once. So no strip ever unites
-- more than twice the trigger.
DELETE FROM video_heatmap_growth AS g
WHERE g.captured_on = $1
    AND NOT EXISTS (SELECT 1 FROM video_heatmap_shards AS s WHERE s.video_id = g.video_id AND s.captured_on = $1)
