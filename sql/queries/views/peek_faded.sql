-- peek_faded
-- $1 text     the piece begins behind this key: video,
-- $2 text     region
-- $3 integer  rows of a lower key are next to nothing by their recent mass,
-- $4 integer  and those of a lower one by their baseline
-- $5 bigint   most rows
SELECT video_id, region
FROM trending
WHERE (video_id, region) > ($1, $2) AND recent_key < $3 AND baseline_key < $4
ORDER BY video_id, region
LIMIT $5
