-- write_cut_wholes
-- $1 text  video, whose lane and days are locked
-- $2 date  day
-- $3 text  region whose rows are gone, NULL for all
-- $4 text[]    the regions of the rows that are gone
-- $5 bigint[]  heartbeats of each
-- Whole videos of what is left, in whatever form it is.
INSERT INTO video_heatmap_whole (video_id, captured_on, region, last_sec, viewers, plays, heartbeats)
SELECT $1, $2, region, max(last_sec), hll_union_agg(viewers), sum(plays)::bigint, coalesce(max(heartbeats), 0)
FROM (
    SELECT region, last_sec, viewers, plays
    FROM video_heatmap_60s
    WHERE video_id = $1 AND captured_on = $2 AND region <> 'GLOBAL' AND region = coalesce($3, region)
    UNION ALL
    SELECT region, end_sec, viewers, plays * (end_sec - start_sec + 1)
    FROM video_heatmap_runs
    WHERE video_id = $1 AND captured_on = $2 AND region = coalesce($3, region)
    UNION ALL
    SELECT region, end_sec, viewers, plays * (end_sec - start_sec + 1)
    FROM video_heatmap_shards
    WHERE video_id = $1 AND captured_on = $2 AND region = coalesce($3, region)
    UNION ALL
    SELECT region, bucket_sec, viewers, plays
    FROM video_heatmap_second_shards
    WHERE video_id = $1 AND captured_on = $2 AND region = coalesce($3, region)
) AS rows
LEFT JOIN unnest($4::text[], $5::bigint[]) AS gone (region, heartbeats) USING (region)
GROUP BY region
ORDER BY region
