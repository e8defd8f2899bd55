-- lock_watch_distributed
-- $1 text  video
-- $2 date  day of capture
-- As lock_watches, of one video-day, which is at one node.
SELECT s.video_id, s.captured_on, s.threshold, s.open, s.sealed
FROM sampled_watches AS s
WHERE s.video_id = $1 AND s.captured_on = $2
FOR UPDATE OF s
