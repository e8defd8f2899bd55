-- measure_runs
-- $1 date     day
-- $2 text[]   videos
-- $3 integer  seconds a block
-- How many canonical runs each block has, all regions together, and how many seconds they cover.
SELECT video_id, start_sec / $3 AS block, count(*) AS runs, sum(end_sec - start_sec + 1)::bigint AS seconds
FROM video_heatmap_runs
WHERE captured_on = $1 AND video_id = ANY ($2::text[])
GROUP BY 1, 2
