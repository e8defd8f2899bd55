-- write_global_levels
-- $1 text     video, whose days are locked
-- $2 date     day
-- $3 integer  first second whose GLOBAL rows are gone
-- $4 integer  first second of the first such bucket of 5 s
-- $5 integer  first second of the first such bucket of 60 s
WITH seconds AS (
    INSERT INTO video_heatmap (video_id, captured_on, region, bucket_sec, viewers, plays)
    SELECT $1, $2, 'GLOBAL', bucket_sec, hll_union_agg(viewers), sum(plays)::bigint
    FROM video_heatmap
    WHERE video_id = $1 AND captured_on = $2 AND region <> 'GLOBAL' AND bucket_sec >= $3
    GROUP BY bucket_sec
), fives AS (
    INSERT INTO video_heatmap_5s (video_id, captured_on, region, bucket_sec, last_sec, viewers, plays)
    SELECT $1, $2, 'GLOBAL', bucket_sec, max(last_sec), hll_union_agg(viewers), sum(plays)::bigint
    FROM video_heatmap_5s
    WHERE video_id = $1 AND captured_on = $2 AND region <> 'GLOBAL' AND bucket_sec >= $4
    GROUP BY bucket_sec
)
INSERT INTO video_heatmap_60s (video_id, captured_on, region, bucket_sec, last_sec, viewers, plays)
SELECT $1, $2, 'GLOBAL', bucket_sec, max(last_sec), hll_union_agg(viewers), sum(plays)::bigint
FROM video_heatmap_60s
WHERE video_id = $1 AND captured_on = $2 AND region <> 'GLOBAL' AND bucket_sec >= $5
GROUP BY bucket_sec
