-- read_open_watches
-- $1 date    day of capture
-- $2 text    behind this video
-- $3 bigint  most videos
-- The videos whose rows came to something since they were sealed, in order; nothing is locked.
SELECT video_id
FROM sampled_watches
WHERE captured_on = $1 AND video_id > $2 AND octet_length(open) > 0
ORDER BY video_id
LIMIT $3
