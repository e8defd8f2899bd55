-- peek_runs
-- $1 date     day
-- $2 text     the piece begins with this key of the shard runs: video,
-- $3 integer  first second
-- $4 bigint   most shard runs
-- The next shard runs of a day in the order of their index, which tells where they begin but not which comes first of those
-- that begin together; hence the piece begins with the key and not behind it. Where a row lies says which row it is, as
-- nobody updates one.
SELECT ctid::text AS place, video_id, start_sec AS first_sec, end_sec - start_sec + 1 AS seconds
FROM video_heatmap_shards
WHERE captured_on = $1 AND (video_id, captured_on, start_sec) >= ($2, $1, $3)
ORDER BY video_id, captured_on, start_sec
LIMIT $4
