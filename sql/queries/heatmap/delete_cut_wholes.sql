-- delete_cut_wholes
-- $1 text  video, whose lane and days are locked
-- $2 date  day
-- $3 text  region, NULL for all
WITH shards AS (
    DELETE FROM video_heatmap_whole_shards WHERE video_id = $1 AND captured_on = $2 AND region = coalesce($3, region)
    RETURNING 1
), canonical AS (
    DELETE FROM video_heatmap_whole
    WHERE video_id = $1 AND captured_on = $2 AND region IN (coalesce($3, region), 'GLOBAL')
    RETURNING 1
)
SELECT (SELECT count(*) FROM canonical) AS canonical, (SELECT count(*) FROM shards) AS shards
