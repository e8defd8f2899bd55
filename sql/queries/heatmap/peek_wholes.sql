-- peek_wholes
-- $1 date    day
-- $2 text    the piece begins behind this key of the shard rows: video,
-- $3 text    region
-- $4 bigint  most rows
SELECT video_id, region
FROM video_heatmap_whole_shards
WHERE captured_on = $1 AND (video_id, captured_on, region) > ($2, $1, $3)
ORDER BY video_id, captured_on, region
LIMIT $4
