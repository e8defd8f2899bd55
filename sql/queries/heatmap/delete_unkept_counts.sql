-- delete_unkept_counts
DELETE FROM video_heatmap_counts WHERE first_day < (SELECT kept_from FROM retention)
