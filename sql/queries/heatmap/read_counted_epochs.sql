-- read_counted_epochs
-- $1 text      video
-- $2 text      region, GLOBAL for all
-- $3 smallint  level
-- $4 date      first day an epoch may have
-- $5 date      last day it may have
-- $6 date      first day that is read
-- $7 date      last day that is read
-- $8 integer   last second of the video
-- The epochs that lie wholly in the range and of which there is nothing but the rows that were counted: no canonical run,
-- and nothing that waits in the shards; and nothing after the video's end.
SELECT first_day, last_day
FROM video_heatmap_counts AS c
WHERE video_id = $1 AND region = $2 AND level = $3 AND first_day BETWEEN $4 AND $5 AND last_day <= $5
    AND last_sec <= $8
    AND NOT EXISTS (
        SELECT 1 FROM video_heatmap_runs AS r
        WHERE r.video_id = $1 AND r.captured_on BETWEEN $6 AND $7 AND r.captured_on BETWEEN c.first_day AND c.last_day
    )
    AND NOT EXISTS (
        SELECT 1 FROM video_heatmap_shards AS s
        WHERE s.video_id = $1 AND s.captured_on BETWEEN $6 AND $7 AND s.captured_on BETWEEN c.first_day AND c.last_day
    )
    AND NOT EXISTS (
        SELECT 1 FROM video_heatmap_second_shards AS s
        WHERE s.video_id = $1 AND s.captured_on BETWEEN $6 AND $7 AND s.captured_on BETWEEN c.first_day AND c.last_day
    )
ORDER BY first_day
