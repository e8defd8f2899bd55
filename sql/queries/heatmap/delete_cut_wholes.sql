-- delete_cut_wholes
-- $1 text  video, whose lane and days are locked
-- $2 date  day
-- $3 text  region, NULL for all
-- Also how many heartbeats each region had: what came stays true, whatever is left of it.
WITH shards AS (
    DELETE FROM video_heatmap_whole_shards WHERE video_id = $1 AND captured_on = $2 AND region = coalesce($3, region)
    RETURNING region, heartbeats, 0 AS canonical, 1 AS shards
), canonical AS (
    DELETE FROM video_heatmap_whole
    WHERE video_id = $1 AND captured_on = $2 AND region IN (coalesce($3, region), 'GLOBAL')
    RETURNING region, heartbeats, 1 AS canonical, 0 AS shards
)
SELECT region, sum(heartbeats)::bigint AS heartbeats, sum(canonical) AS canonical, sum(shards) AS shards
FROM (SELECT * FROM shards UNION ALL SELECT * FROM canonical) AS rows
GROUP BY region
