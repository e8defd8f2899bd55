-- read_durations
-- $1 text[]  videos
SELECT video_id, duration_sec
FROM catalogue
WHERE video_id = ANY ($1::text[]) AND duration_sec IS NOT NULL
