-- read_sample_days
-- $1 text[]  videos
-- $2 date    first day that is kept
SELECT min(captured_on) AS first_day, max(captured_on) AS last_day
FROM sampled_watches
WHERE video_id = ANY ($1::text[]) AND captured_on >= $2
