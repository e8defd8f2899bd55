-- citus_read_second_shards
SELECT count(*) > 0 AS any FROM (SELECT 1 FROM video_heatmap_second_shards LIMIT 1) AS first_row
