-- read_epoch_regions
-- $1 date  first day of an epoch
-- $2 date  last day of it
-- $3 text  video
-- GLOBAL among them.
SELECT DISTINCT region FROM video_heatmap_60s WHERE video_id = $3 AND captured_on BETWEEN $1 AND $2
