-- read_fine_videos
-- $1 text    behind this video
-- $2 bigint  most videos
-- Videos with rows of days that are no longer kept by the second, in order.
SELECT DISTINCT video_id
FROM video_heatmap_whole
WHERE captured_on < (SELECT fine_from FROM retention) AND region = 'GLOBAL' AND video_id > $1
ORDER BY video_id
LIMIT $2
