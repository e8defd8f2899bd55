-- delete_counts
-- $1 date    day whose canonical rows change
-- $2 text[]  videos
DELETE FROM video_heatmap_counts WHERE video_id = ANY ($2::text[]) AND first_day <= $1 AND last_day >= $1
