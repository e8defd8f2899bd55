-- read_unkept_videos
-- $1 bigint  most videos
-- Videos with canonical rows of days that are not kept; the rows of whole videos name them all.
SELECT DISTINCT video_id
FROM video_heatmap_whole
WHERE captured_on < (SELECT kept_from FROM retention)
LIMIT $1
