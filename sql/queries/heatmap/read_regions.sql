-- read_regions
-- $1 text     video
-- $2 date     first day
-- $3 date     last day
-- $4 date[]   first days of the salt epochs that the range touches, ascending
-- $5 bigint   most regions
WITH days AS (
    SELECT region, captured_on, viewers, plays
    FROM video_heatmap_whole
    WHERE video_id = $1 AND captured_on BETWEEN $2 AND $3 AND region <> 'GLOBAL'
    UNION ALL
    SELECT region, captured_on, viewers, plays
    FROM video_heatmap_whole_shards
    WHERE video_id = $1 AND captured_on BETWEEN $2 AND $3
), epochs AS (
    -- Sketches of different salts are never united.
    SELECT region, width_bucket(captured_on, $4::date[]) AS epoch,
        hll_union_agg(viewers) AS viewers, sum(plays)::bigint AS seconds_played
    FROM days
    GROUP BY 1, 2
)
SELECT region, sum(round(hll_cardinality(viewers)))::bigint AS viewers, sum(seconds_played)::bigint AS seconds_played,
    bool_and(get_byte(hll_send(viewers), 0) & 15 <= 2) AS exact
FROM epochs
GROUP BY region
ORDER BY viewers DESC, region
LIMIT $5
