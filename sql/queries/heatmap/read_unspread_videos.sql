-- read_unspread_videos
-- $1 date    first day of an epoch
-- $2 date    last day of it
-- $3 text[]  videos
-- Those that have a row in another form than seconds: runs, shard runs, or shard rows of an earlier version.
SELECT video_id
FROM (
    SELECT video_id FROM video_heatmap_runs WHERE video_id = ANY ($3::text[]) AND captured_on BETWEEN $1 AND $2
    UNION ALL
    SELECT video_id FROM video_heatmap_shards WHERE video_id = ANY ($3::text[]) AND captured_on BETWEEN $1 AND $2
    UNION ALL
    SELECT video_id FROM video_heatmap_second_shards WHERE video_id = ANY ($3::text[]) AND captured_on BETWEEN $1 AND $2
) AS rows
GROUP BY video_id
