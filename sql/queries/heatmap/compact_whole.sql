-- compact_whole
-- $1 date      day
-- $2 text      the piece begins behind this key of the shard rows: video,
-- $3 text      region,
-- $4 smallint  shard
-- $5 bigint    most shard rows
-- As compact_seconds, for whole videos.
WITH piece AS MATERIALIZED (
    SELECT video_id, region, shard
    FROM video_heatmap_whole_shards
    WHERE captured_on = $1 AND (video_id, captured_on, region, shard) > ($2, $1, $3, $4)
    ORDER BY video_id, captured_on, region, shard
    LIMIT $5
), upper_end AS (
    SELECT video_id, region, shard FROM piece ORDER BY 1 DESC, 2 DESC, 3 DESC LIMIT 1
), moved AS (
    DELETE FROM video_heatmap_whole_shards AS t
    USING piece AS p
    WHERE t.captured_on = $1 AND t.video_id = p.video_id AND t.region = p.region AND t.shard = p.shard
    RETURNING t.video_id, t.region, t.last_sec, t.viewers, t.plays
), regions AS (
    SELECT video_id, region, max(last_sec) AS last_sec, hll_union_agg(viewers) AS viewers, sum(plays)::bigint AS plays
    FROM moved GROUP BY 1, 2
), all_regions AS MATERIALIZED (
    SELECT * FROM regions
    UNION ALL
    SELECT video_id, 'GLOBAL', max(last_sec), hll_union_agg(viewers), sum(plays)::bigint
    FROM regions GROUP BY video_id
), bounds AS (
    INSERT INTO video_heatmap_bounds AS b (video_id, region, month, viewers)
    SELECT video_id, region, date_trunc('month', $1::date)::date, round(hll_cardinality(viewers))::bigint
    FROM all_regions
    ORDER BY video_id, region
    ON CONFLICT (video_id, region, month) DO UPDATE SET viewers = b.viewers + EXCLUDED.viewers
), whole AS (
    INSERT INTO video_heatmap_whole AS c (video_id, captured_on, region, last_sec, viewers, plays)
    SELECT video_id, $1, region, last_sec, viewers, plays
    FROM all_regions
    ORDER BY video_id, region
    ON CONFLICT (video_id, region, captured_on)
    DO UPDATE SET viewers = c.viewers || EXCLUDED.viewers, plays = c.plays + EXCLUDED.plays,
        last_sec = greatest(c.last_sec, EXCLUDED.last_sec)
)
SELECT u.video_id, u.region, u.shard, (SELECT count(*) FROM moved) AS moved
FROM upper_end AS u
