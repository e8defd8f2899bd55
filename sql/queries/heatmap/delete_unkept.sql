-- delete_unkept
-- $1 text[]  videos
-- $2 date    first day that is kept
WITH uncounted AS (
    DELETE FROM video_heatmap_counts WHERE video_id = ANY ($1::text[]) AND first_day < $2
), level_1 AS (
    DELETE FROM video_heatmap WHERE video_id = ANY ($1::text[]) AND captured_on < $2 RETURNING 1
), level_5 AS (
    DELETE FROM video_heatmap_5s WHERE video_id = ANY ($1::text[]) AND captured_on < $2 RETURNING 1
), level_60 AS (
    DELETE FROM video_heatmap_60s WHERE video_id = ANY ($1::text[]) AND captured_on < $2 RETURNING 1
), runs AS (
    DELETE FROM video_heatmap_runs WHERE video_id = ANY ($1::text[]) AND captured_on < $2 RETURNING 1
), whole AS (
    DELETE FROM video_heatmap_whole WHERE video_id = ANY ($1::text[]) AND captured_on < $2 RETURNING 1
), spread AS (
    DELETE FROM video_heatmap_spread WHERE video_id = ANY ($1::text[]) AND captured_on < $2
)
SELECT (SELECT count(*) FROM level_1) + (SELECT count(*) FROM level_5) + (SELECT count(*) FROM level_60)
    + (SELECT count(*) FROM runs) + (SELECT count(*) FROM whole) AS rows
