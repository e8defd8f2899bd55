-- read_unkept_videos
-- $1 date    first day that is kept
-- $2 text    behind this video
-- $3 bigint  most videos
-- Videos with canonical rows of days that are not kept, in order. Whole videos name them all but those that were only
-- compacted while they were hot.
SELECT video_id
FROM (
    SELECT video_id FROM video_heatmap_whole WHERE captured_on < $1 AND video_id > $2
    UNION
    SELECT video_id FROM video_heatmap_runs WHERE captured_on < $1 AND video_id > $2
    UNION
    SELECT video_id FROM video_heatmap_spread WHERE captured_on < $1 AND video_id > $2
) AS videos
ORDER BY video_id
LIMIT $3
