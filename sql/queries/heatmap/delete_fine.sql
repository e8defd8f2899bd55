-- delete_fine
-- $1 text[]  videos
WITH uncounted AS (
    DELETE FROM video_heatmap_counts
    WHERE video_id = ANY ($1::text[]) AND level = 1 AND first_day < (SELECT fine_from FROM retention)
)
DELETE FROM video_heatmap
WHERE video_id = ANY ($1::text[]) AND captured_on < (SELECT fine_from FROM retention)
