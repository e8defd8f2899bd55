-- compact_seconds
-- $1 date      day
-- $2 text      the piece begins behind this key of the shard rows: video,
-- $3 text      region,
-- $4 integer   second,
-- $5 smallint  shard
-- $6 bigint    most shard rows
-- Takes the next shard rows of a day, in the order of their key, and unites them with the canonical rows of every level,
-- region and GLOBAL alike, in one statement: whoever reads sees them on one side. A row that a worker changes meanwhile
-- is moved as it is then, or stays for the next piece.
WITH piece AS MATERIALIZED (
    SELECT video_id, region, bucket_sec, shard
    FROM video_heatmap_shards
    WHERE captured_on = $1 AND (video_id, captured_on, region, bucket_sec, shard) > ($2, $1, $3, $4, $5)
    ORDER BY video_id, captured_on, region, bucket_sec, shard
    LIMIT $6
), upper_end AS (
    SELECT video_id, region, bucket_sec, shard FROM piece ORDER BY 1 DESC, 2 DESC, 3 DESC, 4 DESC LIMIT 1
), moved AS (
    DELETE FROM video_heatmap_shards AS t
    USING piece AS p
    WHERE t.captured_on = $1 AND t.video_id = p.video_id AND t.region = p.region AND t.bucket_sec = p.bucket_sec
        AND t.shard = p.shard
    RETURNING t.video_id, t.region, t.bucket_sec, t.viewers, t.plays
), regions AS (
    SELECT video_id, region, bucket_sec, hll_union_agg(viewers) AS viewers, sum(plays)::bigint AS plays
    FROM moved GROUP BY 1, 2, 3
), seconds AS MATERIALIZED (
    SELECT * FROM regions
    UNION ALL
    SELECT video_id, 'GLOBAL', bucket_sec, hll_union_agg(viewers), sum(plays)::bigint
    FROM regions GROUP BY video_id, bucket_sec
), fives AS MATERIALIZED (
    SELECT video_id, region, bucket_sec / 5 * 5 AS bucket_sec, max(bucket_sec) AS last_sec,
        hll_union_agg(viewers) AS viewers, sum(plays)::bigint AS plays
    FROM seconds GROUP BY 1, 2, 3
), uncounted AS (
    DELETE FROM video_heatmap_counts
    WHERE video_id IN (SELECT video_id FROM moved) AND first_day <= $1 AND last_day >= $1
), level_1 AS (
    INSERT INTO video_heatmap AS c (video_id, captured_on, region, bucket_sec, viewers, plays)
    SELECT video_id, $1, region, bucket_sec, viewers, plays FROM seconds
    -- What comes late for a day that is not kept by the second any more goes to the coarser levels only.
    WHERE $1 >= (SELECT fine_from FROM retention)
    ORDER BY video_id, region, bucket_sec
    ON CONFLICT (video_id, region, captured_on, bucket_sec)
    DO UPDATE SET viewers = c.viewers || EXCLUDED.viewers, plays = c.plays + EXCLUDED.plays
), level_5 AS (
    INSERT INTO video_heatmap_5s AS c (video_id, captured_on, region, bucket_sec, last_sec, viewers, plays)
    SELECT video_id, $1, region, bucket_sec, last_sec, viewers, plays FROM fives ORDER BY video_id, region, bucket_sec
    ON CONFLICT (video_id, region, captured_on, bucket_sec)
    DO UPDATE SET viewers = c.viewers || EXCLUDED.viewers, plays = c.plays + EXCLUDED.plays,
        last_sec = greatest(c.last_sec, EXCLUDED.last_sec)
), level_60 AS (
    INSERT INTO video_heatmap_60s AS c (video_id, captured_on, region, bucket_sec, last_sec, viewers, plays)
    SELECT video_id, $1, region, bucket_sec / 60 * 60, max(last_sec), hll_union_agg(viewers), sum(plays)::bigint
    FROM fives GROUP BY 1, 3, 4 ORDER BY 1, 3, 4
    ON CONFLICT (video_id, region, captured_on, bucket_sec)
    DO UPDATE SET viewers = c.viewers || EXCLUDED.viewers, plays = c.plays + EXCLUDED.plays,
        last_sec = greatest(c.last_sec, EXCLUDED.last_sec)
)
SELECT u.video_id, u.region, u.bucket_sec, u.shard, (SELECT count(*) FROM moved) AS moved
FROM upper_end AS u
