-- read_compacted_videos
-- $1 text[]  videos
-- Those that were watched before.
SELECT DISTINCT video_id FROM video_heatmap_bounds WHERE video_id = ANY ($1::text[]) AND region = 'GLOBAL'
