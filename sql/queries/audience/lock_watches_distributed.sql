-- lock_watches_distributed
-- $1 text[]  videos
-- $2 date[]  days of capture
-- As lock_watches, for the fold: no row of several nodes can be locked by reading it, so rows are written as they are. One that is
-- not there is made, empty, and sealed at once; it may be there, of a transaction that waits for its second phase.
INSERT INTO sampled_watches AS s (video_id, captured_on, viewers, open)
SELECT d.video_id, d.captured_on, 0, ''
FROM unnest($1::text[], $2::date[]) AS d (video_id, captured_on)
ORDER BY d.video_id COLLATE "C", d.captured_on
ON CONFLICT (video_id, captured_on) DO UPDATE SET viewers = s.viewers
RETURNING s.video_id, s.captured_on, s.threshold, s.open, s.sealed
