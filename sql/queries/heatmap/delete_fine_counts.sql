-- delete_fine_counts
-- $1 date    first day that is kept by the second
-- $2 text[]  videos
DELETE FROM video_heatmap_counts WHERE video_id = ANY ($2::text[]) AND level = 1 AND first_day < $1
