-- delete_bounds
-- $1 text  video, whose days of the month are locked
-- $2 date  first day of the month
DELETE FROM video_heatmap_bounds WHERE video_id = $1 AND month = $2
