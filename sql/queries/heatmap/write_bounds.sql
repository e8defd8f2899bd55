-- write_bounds
-- $1 text  video, whose days of the month are locked
-- $2 date  first day of the month, whose bounds are gone
-- $3 date  last day of it
INSERT INTO video_heatmap_bounds (video_id, region, month, viewers)
SELECT $1, region, $2, sum(round(hll_cardinality(viewers)))::bigint
FROM video_heatmap_whole
WHERE video_id = $1 AND captured_on BETWEEN $2 AND $3
GROUP BY region
ORDER BY region
