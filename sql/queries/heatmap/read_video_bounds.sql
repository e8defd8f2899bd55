-- read_video_bounds
-- $1 date     first day
-- $2 date     last day
-- $3 text[]   regions of canonical rows: GLOBAL alone, or the regions to unite
-- $4 text[]   regions of shard rows, which know no GLOBAL: NULL for all
-- $5 bigint   most videos
-- What the viewers of each video are at most: months count whole, and a person once for each day and shard row.
SELECT video_id, sum(viewers)::bigint AS viewers
FROM (
    SELECT video_id, viewers
    FROM video_heatmap_bounds
    WHERE region = ANY ($3::text[]) AND month BETWEEN date_trunc('month', $1::date)::date AND $2
    UNION ALL
    SELECT video_id, round(hll_cardinality(viewers))::bigint
    FROM video_heatmap_whole_shards
    WHERE captured_on BETWEEN $1 AND $2 AND ($4::text[] IS NULL OR region = ANY ($4::text[]))
) AS bounds
GROUP BY video_id
ORDER BY viewers DESC, video_id
LIMIT $5
