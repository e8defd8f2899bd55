-- note_uncounted
-- $1 date    day whose spread blocks change
-- $2 text[]  videos, which are locked
INSERT INTO video_heatmap_uncounted AS u (video_id, captured_on)
SELECT video_id, $1 FROM unnest($2::text[]) AS v (video_id) ORDER BY video_id
ON CONFLICT (video_id, captured_on) DO UPDATE SET changes = u.changes + 1
