-- read_uncounted_videos
-- $1 date    first day of an epoch
-- $2 date    last day of it
-- $3 date    behind this note: day,
-- $4 text    video
-- $5 bigint  most notes
SELECT captured_on, video_id
FROM video_heatmap_uncounted
WHERE captured_on BETWEEN $1 AND $2 AND (captured_on, video_id) > ($3, $4)
ORDER BY captured_on, video_id
LIMIT $5
