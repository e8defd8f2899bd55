-- read_uncounted_videos
-- $1 date    first day of an epoch
-- $2 date    last day of it
-- $3 text    behind this video
-- $4 bigint  most videos
SELECT DISTINCT w.video_id
FROM video_heatmap_whole AS w
WHERE w.captured_on BETWEEN $1 AND $2 AND w.region = 'GLOBAL' AND w.video_id > $3
    AND NOT EXISTS (
        SELECT FROM video_heatmap_counts AS c
        WHERE c.video_id = w.video_id AND c.region = 'GLOBAL' AND c.level = 60 AND c.first_day = $1
    )
ORDER BY w.video_id
LIMIT $4
