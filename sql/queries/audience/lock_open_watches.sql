-- lock_open_watches
-- $1 date    day of capture
-- $2 text    behind this video
-- $3 bigint  most videos
-- Rows that came to something since they were sealed, in order.
SELECT video_id, captured_on, threshold, open, sealed
FROM sampled_watches
WHERE captured_on = $1 AND video_id > $2 AND octet_length(open) > 0
ORDER BY video_id
LIMIT $3
FOR UPDATE
