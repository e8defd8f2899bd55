-- read_accepted
-- $1 text  video
-- $2 date  first day
-- $3 date  last day
SELECT captured_on AS day, sum(heartbeats)::bigint AS heartbeats
FROM (
    SELECT captured_on, heartbeats
    FROM video_heatmap_whole
    WHERE video_id = $1 AND captured_on BETWEEN $2 AND $3 AND region = 'GLOBAL'
    UNION ALL
    SELECT captured_on, heartbeats
    FROM video_heatmap_whole_shards
    WHERE video_id = $1 AND captured_on BETWEEN $2 AND $3
) AS rows
GROUP BY captured_on
ORDER BY captured_on
