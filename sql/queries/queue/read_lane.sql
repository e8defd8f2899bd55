-- read_lane
-- $1 smallint  lane
-- $2 bigint    behind this row
-- $3 bigint    most rows
-- Rows of a lane nobody folds meanwhile, oldest first.
SELECT id, heartbeats, watched_secs, payload, video_id, region, captured_on, start_sec, end_sec, viewer_hash
FROM heartbeat_queue
WHERE lane = $1 AND id > $2
ORDER BY id
LIMIT $3
FOR UPDATE
