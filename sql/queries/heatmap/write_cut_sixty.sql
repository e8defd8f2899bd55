-- write_cut_sixty
-- $1 text     video, whose days are locked
-- $2 date     day
-- $3 text     region, NULL for all
-- $4 integer  first second of the bucket, whose rows are gone
-- $5 integer  last second that stays
INSERT INTO video_heatmap_60s (video_id, captured_on, region, bucket_sec, last_sec, viewers, plays)
SELECT $1, $2, region, $4, max(last_sec), hll_union_agg(viewers), sum(plays)::bigint
FROM video_heatmap_5s
WHERE video_id = $1 AND captured_on = $2 AND region <> 'GLOBAL' AND region = coalesce($3, region)
    AND bucket_sec BETWEEN $4 AND $5
GROUP BY region
ORDER BY region
