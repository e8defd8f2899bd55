-- peek_video_runs
-- $1 date     day
-- $2 text     video
-- $3 integer  the piece begins with the shard runs of this first second
-- $4 bigint   most shard runs
-- As peek_runs, of one video.
SELECT ctid::text AS place, video_id, start_sec AS first_sec, end_sec - start_sec + 1 AS seconds
FROM video_heatmap_shards
WHERE captured_on = $1 AND video_id = $2 AND start_sec >= $3
ORDER BY video_id, captured_on, start_sec
LIMIT $4
