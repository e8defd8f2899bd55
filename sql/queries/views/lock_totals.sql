-- lock_totals
-- $1 text[]  videos
-- Whoever holds a video's row may change its days, months and epochs. Sorted, so that nobody waits in a circle.
SELECT t.video_id
FROM unnest($1::text[]) AS v (video_id)
JOIN view_totals AS t ON t.video_id = v.video_id
ORDER BY t.video_id
FOR UPDATE OF t
