-- insert_counts
-- $1 date    first day of an epoch
-- $2 date    last day of it
-- $3 text[]  videos
-- As read_strip counts an epoch, for every region and level at once.
WITH buckets AS (
    SELECT video_id, region, 1 AS level, bucket_sec AS bucket, max(bucket_sec) AS last_sec,
        hll_union_agg(viewers) AS viewers, sum(plays)::bigint AS plays
    FROM video_heatmap WHERE video_id = ANY ($3::text[]) AND captured_on BETWEEN $1 AND $2
    GROUP BY 1, 2, 4
    UNION ALL
    SELECT video_id, region, 5, bucket_sec / 5, max(last_sec), hll_union_agg(viewers), sum(plays)::bigint
    FROM video_heatmap_5s WHERE video_id = ANY ($3::text[]) AND captured_on BETWEEN $1 AND $2
    GROUP BY 1, 2, 4
    UNION ALL
    SELECT video_id, region, 60, bucket_sec / 60, max(last_sec), hll_union_agg(viewers), sum(plays)::bigint
    FROM video_heatmap_60s WHERE video_id = ANY ($3::text[]) AND captured_on BETWEEN $1 AND $2
    GROUP BY 1, 2, 4
), nested AS (
    SELECT *, hll_union_agg(viewers) OVER (PARTITION BY video_id, region, level ORDER BY bucket DESC) AS reached
    FROM buckets
), estimates AS (
    SELECT video_id, region, level, bucket, last_sec, plays,
        round(hll_cardinality(viewers))::bigint AS viewers,
        round(hll_cardinality(reached))::bigint AS reached,
        get_byte(hll_send(reached), 0) & 15 <= 2 AS exact
    FROM nested
)
INSERT INTO video_heatmap_counts
    (video_id, region, level, first_day, last_day, last_sec, exact, bucket, viewers, reached, plays)
SELECT video_id, region, level, $1, $2, max(last_sec), bool_and(exact), array_agg(bucket ORDER BY bucket),
    array_agg(viewers ORDER BY bucket), array_agg(reached ORDER BY bucket), array_agg(plays ORDER BY bucket)
FROM estimates
GROUP BY video_id, region, level
ON CONFLICT (video_id, region, level, first_day) DO NOTHING
