-- forget_rows
-- $1 text  video
-- $2 date  first day
-- $3 date  last day
WITH whole_shards AS (
    DELETE FROM video_heatmap_whole_shards WHERE video_id = $1 AND captured_on BETWEEN $2 AND $3 RETURNING 1
), shards AS (
    DELETE FROM video_heatmap_shards WHERE video_id = $1 AND captured_on BETWEEN $2 AND $3 RETURNING 1
), second_shards AS (
    DELETE FROM video_heatmap_second_shards WHERE video_id = $1 AND captured_on BETWEEN $2 AND $3 RETURNING 1
), runs AS (
    DELETE FROM video_heatmap_runs WHERE video_id = $1 AND captured_on BETWEEN $2 AND $3 RETURNING 1
), seconds AS (
    DELETE FROM video_heatmap WHERE video_id = $1 AND captured_on BETWEEN $2 AND $3 RETURNING 1
), fives AS (
    DELETE FROM video_heatmap_5s WHERE video_id = $1 AND captured_on BETWEEN $2 AND $3 RETURNING 1
), sixties AS (
    DELETE FROM video_heatmap_60s WHERE video_id = $1 AND captured_on BETWEEN $2 AND $3 RETURNING 1
), whole AS (
    DELETE FROM video_heatmap_whole WHERE video_id = $1 AND captured_on BETWEEN $2 AND $3 RETURNING 1
), spread AS (
    DELETE FROM video_heatmap_spread WHERE video_id = $1 AND captured_on BETWEEN $2 AND $3
), growth AS (
    DELETE FROM video_heatmap_growth WHERE video_id = $1 AND captured_on BETWEEN $2 AND $3
), uncounted AS (
    DELETE FROM video_heatmap_counts WHERE video_id = $1 AND first_day <= $3 AND last_day >= $2
), unnoted AS (
    DELETE FROM video_heatmap_uncounted WHERE video_id = $1 AND captured_on BETWEEN $2 AND $3
), noted AS (
    -- Whoever counts the epoch of other days at this moment has to see that something has changed: the sum of the changes
    -- must be another one, whatever goes.
    UPDATE video_heatmap_uncounted
    SET changes = changes + 1 + (
        SELECT coalesce(sum(u.changes), 0) FROM video_heatmap_uncounted AS u
        WHERE u.video_id = $1 AND u.captured_on BETWEEN $2 AND $3
    )
    WHERE video_id = $1 AND captured_on NOT BETWEEN $2 AND $3
), unbounded AS (
    -- The bound of a month that is forgotten in part stays one.
    DELETE FROM video_heatmap_bounds WHERE video_id = $1 AND month >= $2 AND month + interval '1 month' <= $3
)
SELECT (SELECT count(*) FROM runs) + (SELECT count(*) FROM seconds) + (SELECT count(*) FROM fives)
    + (SELECT count(*) FROM sixties) + (SELECT count(*) FROM whole) AS canonical,
    (SELECT count(*) FROM whole_shards) + (SELECT count(*) FROM shards) + (SELECT count(*) FROM second_shards) AS shards
