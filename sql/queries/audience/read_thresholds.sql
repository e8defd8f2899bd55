-- read_thresholds
-- $1 text[]  videos
-- $2 date[]  days of capture
SELECT s.video_id, s.captured_on, s.threshold
FROM unnest($1::text[], $2::date[]) AS d (video_id, captured_on)
JOIN sampled_watches AS s ON s.video_id = d.video_id AND s.captured_on = d.captured_on
WHERE s.threshold IS NOT NULL
