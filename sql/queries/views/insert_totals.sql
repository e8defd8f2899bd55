-- insert_totals
-- $1 text[]  videos
INSERT INTO view_totals (video_id)
SELECT v.video_id FROM unnest($1::text[]) AS v (video_id) ORDER BY v.video_id COLLATE "C"
ON CONFLICT (video_id) DO NOTHING
