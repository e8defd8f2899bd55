-- lock_oldest_row
-- $1 smallint  lane
SELECT id FROM heartbeat_queue WHERE lane = $1 ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED
