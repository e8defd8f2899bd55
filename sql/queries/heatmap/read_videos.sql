-- read_videos
-- $1 date     first day
-- $2 date     last day
-- $3 text[]   regions of canonical rows: GLOBAL alone, or the regions to unite
-- $4 text[]   regions of shard rows, which know no GLOBAL: NULL for all
-- $5 date[]   first days of the salt epochs that the range touches, ascending
-- $6 text[]   the videos to look at: NULL for all
-- Whole-video rows, video by video, in each by salt epoch; their sketches are united where they arrive.
WITH days AS (
    SELECT video_id, captured_on, last_sec, viewers, plays
    FROM video_heatmap_whole
    WHERE captured_on BETWEEN $1 AND $2 AND region = ANY ($3::text[])
        AND ($6::text[] IS NULL OR video_id = ANY ($6::text[]))
    UNION ALL
    SELECT video_id, captured_on, last_sec, viewers, plays
    FROM video_heatmap_whole_shards
    WHERE captured_on BETWEEN $1 AND $2 AND ($4::text[] IS NULL OR region = ANY ($4::text[]))
        AND ($6::text[] IS NULL OR video_id = ANY ($6::text[]))
)
SELECT video_id AS name, width_bucket(captured_on, $5::date[]) AS epoch, last_sec, plays, viewers
FROM days
ORDER BY name, epoch
