-- read_day_regions
-- $1 text  video whose lane is locked
-- $2 date  day
SELECT region FROM video_heatmap_whole_shards WHERE video_id = $1 AND captured_on = $2
UNION
SELECT region FROM video_heatmap_whole WHERE video_id = $1 AND captured_on = $2 AND region <> 'GLOBAL'
