-- delete_unkept
-- $1 text[]  videos
-- All levels of a video in one statement: it is never there in part.
WITH kept AS MATERIALIZED (
    SELECT kept_from FROM retention
), uncounted AS (
    DELETE FROM video_heatmap_counts WHERE video_id = ANY ($1::text[]) AND first_day < (SELECT kept_from FROM kept)
), level_1 AS (
    DELETE FROM video_heatmap WHERE video_id = ANY ($1::text[]) AND captured_on < (SELECT kept_from FROM kept) RETURNING 1
), level_5 AS (
    DELETE FROM video_heatmap_5s WHERE video_id = ANY ($1::text[]) AND captured_on < (SELECT kept_from FROM kept) RETURNING 1
), level_60 AS (
    DELETE FROM video_heatmap_60s WHERE video_id = ANY ($1::text[]) AND captured_on < (SELECT kept_from FROM kept) RETURNING 1
), whole AS (
    DELETE FROM video_heatmap_whole WHERE video_id = ANY ($1::text[]) AND captured_on < (SELECT kept_from FROM kept) RETURNING 1
)
SELECT (SELECT count(*) FROM level_1) + (SELECT count(*) FROM level_5) + (SELECT count(*) FROM level_60)
    + (SELECT count(*) FROM whole) AS rows
