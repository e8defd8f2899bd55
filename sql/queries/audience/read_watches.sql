-- read_watches
-- $1 text[]  videos
-- $2 date    first day
-- $3 date    last day
-- $4 date[]  first days of the salt epochs that the range touches, ascending
SELECT video_id, width_bucket(captured_on, $4::date[]) AS epoch, threshold, open, sealed
FROM sampled_watches
WHERE video_id = ANY ($1::text[]) AND captured_on BETWEEN $2 AND $3
ORDER BY captured_on, video_id
