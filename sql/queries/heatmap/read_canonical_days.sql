-- read_canonical_days
-- $1 text[]  videos
-- $2 date    first day
-- $3 date    last day
-- The days of which a video has canonical rows, or shard rows that may become such.
SELECT DISTINCT video_id, captured_on
FROM (
    SELECT video_id, captured_on FROM video_heatmap_whole
    WHERE video_id = ANY ($1::text[]) AND captured_on BETWEEN $2 AND $3
    UNION ALL
    SELECT video_id, captured_on FROM video_heatmap_runs
    WHERE video_id = ANY ($1::text[]) AND captured_on BETWEEN $2 AND $3
    UNION ALL
    SELECT video_id, captured_on FROM video_heatmap_spread
    WHERE video_id = ANY ($1::text[]) AND captured_on BETWEEN $2 AND $3
    UNION ALL
    SELECT video_id, captured_on FROM video_heatmap_whole_shards
    WHERE video_id = ANY ($1::text[]) AND captured_on BETWEEN $2 AND $3
    UNION ALL
    SELECT video_id, captured_on FROM video_heatmap_shards
    WHERE video_id = ANY ($1::text[]) AND captured_on BETWEEN $2 AND $3
    UNION ALL
    SELECT video_id, captured_on FROM video_heatmap_second_shards
    WHERE video_id = ANY ($1::text[]) AND captured_on BETWEEN $2 AND $3
) AS days
