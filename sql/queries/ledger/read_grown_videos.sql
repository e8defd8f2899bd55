-- read_grown_videos
-- $1 text[]  videos
-- Those that were watched since the last night.
SELECT DISTINCT video_id FROM video_heatmap_growth WHERE video_id = ANY ($1::text[])
