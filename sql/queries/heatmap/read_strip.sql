-- read_strip
-- $1 text     video
-- $2 date     first day
-- $3 date     last day
-- $4 integer  resolution, seconds a bucket
-- $5 text[]   regions of canonical rows: GLOBAL alone, or the regions to unite
-- $6 text[]   regions of shard rows, which know no GLOBAL: NULL for all
-- $7 date[]   first days of the salt epochs that the range touches, ascending
-- $8 integer  level of canonical rows: 1, 5 or 60, a divisor of the resolution
-- $9 date[]   days that are counted already
-- The arms of the other levels fall away when the plan is made. One statement, so one snapshot: a row that moves from
-- shards to canonical rows is seen once. Sketches are united where they arrive, which is several times as fast as
-- uniting them here. Those of different salts are never united, hence the epochs.
WITH seconds AS (
    SELECT captured_on, bucket_sec, bucket_sec AS last_sec, viewers, plays
    FROM video_heatmap
    WHERE $8 = 1 AND video_id = $1 AND captured_on BETWEEN $2 AND $3 AND region = ANY ($5::text[])
        AND captured_on <> ALL ($9::date[])
    UNION ALL
    SELECT captured_on, bucket_sec, last_sec, viewers, plays
    FROM video_heatmap_5s
    WHERE $8 = 5 AND video_id = $1 AND captured_on BETWEEN $2 AND $3 AND region = ANY ($5::text[])
        AND captured_on <> ALL ($9::date[])
    UNION ALL
    SELECT captured_on, bucket_sec, last_sec, viewers, plays
    FROM video_heatmap_60s
    WHERE $8 = 60 AND video_id = $1 AND captured_on BETWEEN $2 AND $3 AND region = ANY ($5::text[])
        AND captured_on <> ALL ($9::date[])
    UNION ALL
    SELECT captured_on, bucket_sec, bucket_sec, viewers, plays
    FROM video_heatmap_shards
    WHERE video_id = $1 AND captured_on BETWEEN $2 AND $3 AND ($6::text[] IS NULL OR region = ANY ($6::text[]))
)
SELECT width_bucket(captured_on, $7::date[]) - 1 AS epoch, bucket_sec / $4 AS bucket, last_sec, plays, viewers
FROM seconds
ORDER BY epoch, bucket DESC
