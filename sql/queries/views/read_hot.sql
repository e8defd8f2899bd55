-- read_hot
-- $1 text     region, or GLOBAL
-- $2 integer  key of the floor
-- $3 bigint   most videos
SELECT video_id, recent, baseline, at, born
FROM trending
WHERE region = $1 AND recent_key >= $2
ORDER BY recent_key DESC
LIMIT $3
