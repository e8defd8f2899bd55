-- read_strip
-- $1 text     video
-- $2 date     first day
-- $3 date     last day
-- $4 text[]   regions of rows of a level: GLOBAL alone, or the regions to unite
-- $5 text[]   regions of runs and shard rows, which know no GLOBAL: NULL for all
-- $6 date[]   first days of the salt epochs that the range touches, ascending
-- $7 integer  level of canonical rows: 1, 5 or 60, a divisor of the resolution
-- $8 date[]   days that are counted already
-- $9 integer  last second of the video
-- $10 integer first second of the level's bucket that the video's end cuts, if it cuts one: else behind that last second
-- $11 date    first day that is kept by the second
-- The arms of the other levels fall away when the plan is made, and so does that of the cut bucket where the video's end
-- cuts none. One statement, so one snapshot: a run that moves from shards to canonical rows is seen once. A row of a level
-- is given as its last watched second, with all its plays. Of the cut bucket the seconds are read, or all of it on days
-- that are not kept by the second. Sketches are united where they arrive, which is several times as fast as uniting them
-- here. Those of different salts are never united, hence the epochs.
WITH parts AS (
    SELECT captured_on, bucket_sec AS start_sec, bucket_sec AS end_sec, viewers, plays
    FROM video_heatmap
    WHERE $7 = 1 AND video_id = $1 AND captured_on BETWEEN $2 AND $3 AND region = ANY ($4::text[])
        AND captured_on <> ALL ($8::date[]) AND bucket_sec <= $9
    UNION ALL
    SELECT captured_on, least(last_sec, $9), least(last_sec, $9), viewers, plays
    FROM video_heatmap_5s
    WHERE $7 = 5 AND video_id = $1 AND captured_on BETWEEN $2 AND $3 AND region = ANY ($4::text[])
        AND captured_on <> ALL ($8::date[]) AND bucket_sec <= $9 AND (bucket_sec < $10 OR captured_on < $11)
    UNION ALL
    SELECT captured_on, least(last_sec, $9), least(last_sec, $9), viewers, plays
    FROM video_heatmap_60s
    WHERE $7 = 60 AND video_id = $1 AND captured_on BETWEEN $2 AND $3 AND region = ANY ($4::text[])
        AND captured_on <> ALL ($8::date[]) AND bucket_sec <= $9 AND (bucket_sec < $10 OR captured_on < $11)
    UNION ALL
    SELECT captured_on, bucket_sec, bucket_sec, viewers, plays
    FROM video_heatmap
    WHERE $7 > 1 AND $10 <= $9 AND video_id = $1 AND captured_on BETWEEN greatest($2, $11) AND $3
        AND region = ANY ($4::text[]) AND captured_on <> ALL ($8::date[]) AND bucket_sec BETWEEN $10 AND $9
    UNION ALL
    SELECT captured_on, start_sec, least(end_sec, $9), viewers, plays
    FROM video_heatmap_runs
    WHERE video_id = $1 AND captured_on BETWEEN $2 AND $3 AND ($5::text[] IS NULL OR region = ANY ($5::text[]))
        AND start_sec <= $9
    UNION ALL
    SELECT captured_on, start_sec, least(end_sec, $9), viewers, plays
    FROM video_heatmap_shards
    WHERE video_id = $1 AND captured_on BETWEEN $2 AND $3 AND ($5::text[] IS NULL OR region = ANY ($5::text[]))
        AND start_sec <= $9
    UNION ALL
    SELECT captured_on, bucket_sec, bucket_sec, viewers, plays
    FROM video_heatmap_second_shards
    WHERE video_id = $1 AND captured_on BETWEEN $2 AND $3 AND ($5::text[] IS NULL OR region = ANY ($5::text[]))
        AND bucket_sec <= $9
)
SELECT width_bucket(captured_on, $6::date[]) - 1 AS epoch, start_sec, end_sec, plays, viewers
FROM parts
ORDER BY epoch, end_sec DESC
