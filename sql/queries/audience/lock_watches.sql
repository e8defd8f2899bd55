-- lock_watches
-- $1 text[]  videos
-- $2 date[]  days of capture
-- Those of the rows that are there, sorted, so that two transactions do not wait for each other in a circle.
SELECT s.video_id, s.captured_on, s.threshold, s.open, s.sealed
FROM unnest($1::text[], $2::date[]) AS d (video_id, captured_on)
JOIN sampled_watches AS s ON s.video_id = d.video_id AND s.captured_on = d.captured_on
ORDER BY s.video_id, s.captured_on
FOR UPDATE OF s
