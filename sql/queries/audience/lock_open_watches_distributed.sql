-- lock_open_watches_distributed
-- $1 date    day of capture
-- $2 text[]  videos
-- As lock_open_watches, of these videos: rows are written as they are, those that are still there.
UPDATE sampled_watches AS s
SET viewers = s.viewers
WHERE s.captured_on = $1 AND s.video_id = ANY ($2::text[]) AND octet_length(s.open) > 0
RETURNING s.video_id, s.captured_on, s.threshold, s.open, s.sealed
