-- lock_oldest_row
-- $1 smallint  lane
SELECT id FROM heartbeat_queue
WHERE lane = $1 AND id >= coalesce((SELECT heads[$1 + 1] FROM heartbeat_queue_heads), 0)
ORDER BY id
LIMIT 1
FOR UPDATE SKIP LOCKED
