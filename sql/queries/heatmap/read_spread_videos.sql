-- read_spread_videos
-- $1 date    first day of an epoch
-- $2 date    last day of it
-- $3 text    behind this video
-- $4 bigint  most videos
-- Videos that have spread blocks in an epoch and are not counted yet, in order.
SELECT DISTINCT s.video_id
FROM video_heatmap_spread AS s
WHERE s.captured_on BETWEEN $1 AND $2 AND s.video_id > $3
    AND NOT EXISTS (
        SELECT FROM video_heatmap_counts AS c
        WHERE c.video_id = s.video_id AND c.region = 'GLOBAL' AND c.level = 60 AND c.first_day = $1
    )
ORDER BY s.video_id
LIMIT $4
