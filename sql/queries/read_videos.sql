-- read_videos
-- $1 date     first day
-- $2 date     last day
-- $3 text[]   regions of canonical rows: GLOBAL alone, or the regions to unite
-- $4 text[]   regions of shard rows, which know no GLOBAL: NULL for all
-- $5 date[]   first days of the salt epochs that the range touches, ascending
-- $6 bigint   most videos
-- $7 text[]   the videos to look at: NULL for all
WITH days AS (
    SELECT video_id, captured_on, last_sec, viewers, plays
    FROM video_heatmap_whole
    WHERE captured_on BETWEEN $1 AND $2 AND region = ANY ($3::text[])
        AND ($7::text[] IS NULL OR video_id = ANY ($7::text[]))
    UNION ALL
    SELECT video_id, captured_on, last_sec, viewers, plays
    FROM video_heatmap_whole_shards
    WHERE captured_on BETWEEN $1 AND $2 AND ($4::text[] IS NULL OR region = ANY ($4::text[]))
        AND ($7::text[] IS NULL OR video_id = ANY ($7::text[]))
), epochs AS (
    SELECT video_id, width_bucket(captured_on, $5::date[]) AS epoch,
        hll_union_agg(viewers) AS viewers, sum(plays)::bigint AS seconds_played, max(last_sec) AS last_sec
    FROM days
    GROUP BY 1, 2
)
SELECT video_id, sum(round(hll_cardinality(viewers)))::bigint AS viewers, sum(seconds_played)::bigint AS seconds_played,
    max(last_sec) AS last_sec, bool_and(get_byte(hll_send(viewers), 0) & 15 <= 2) AS exact
FROM epochs
GROUP BY video_id
ORDER BY viewers DESC, video_id
LIMIT $6
