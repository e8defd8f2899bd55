-- peek_seconds
-- $1 date     day
-- $2 text     the piece begins with this key of the rows of seconds: video,
-- $3 text     region,
-- $4 integer  second
-- $5 bigint   most rows
-- As peek_runs, for the rows of an earlier version.
SELECT ctid::text AS place, video_id, region, bucket_sec AS first_sec, 1 AS seconds
FROM video_heatmap_second_shards
WHERE captured_on = $1 AND (video_id, captured_on, region, bucket_sec) >= ($2, $1, $3, $4)
ORDER BY video_id, captured_on, region, bucket_sec
LIMIT $5
