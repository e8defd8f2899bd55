-- delete_unkept_counts
-- $1 date  first day that is kept
DELETE FROM video_heatmap_counts WHERE first_day < $1
