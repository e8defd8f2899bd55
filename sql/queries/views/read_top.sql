-- read_top
-- $1 text     region, or GLOBAL
-- $2 integer  key of the floor
-- $3 bigint   most videos
SELECT video_id, recent, baseline, at, born
FROM trending
WHERE region = $1 AND baseline_key >= $2
ORDER BY baseline_key DESC
LIMIT $3
