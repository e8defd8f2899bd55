-- cut_levels
-- $1 text     video, whose days are locked
-- $2 date     day
-- $3 text     region, NULL for all
-- $4 integer  first second that goes
-- $5 integer  first second of the first bucket of 5 s that goes, or is written anew
-- $6 integer  first second of the first bucket of 60 s
-- GLOBAL goes with them: nothing can be taken out of a sketch.
WITH seconds AS (
    DELETE FROM video_heatmap
    WHERE video_id = $1 AND captured_on = $2 AND region IN (coalesce($3, region), 'GLOBAL') AND bucket_sec >= $4
    RETURNING 1
), fives AS (
    DELETE FROM video_heatmap_5s
    WHERE video_id = $1 AND captured_on = $2 AND region IN (coalesce($3, region), 'GLOBAL') AND bucket_sec >= $5
    RETURNING 1
), sixties AS (
    DELETE FROM video_heatmap_60s
    WHERE video_id = $1 AND captured_on = $2 AND region IN (coalesce($3, region), 'GLOBAL') AND bucket_sec >= $6
    RETURNING 1
)
SELECT (SELECT count(*) FROM seconds) + (SELECT count(*) FROM fives) + (SELECT count(*) FROM sixties) AS rows
