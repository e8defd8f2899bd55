-- delete_fine
-- $1 text[]  videos
DELETE FROM video_heatmap
WHERE video_id = ANY ($1::text[]) AND captured_on < (SELECT fine_from FROM retention)
