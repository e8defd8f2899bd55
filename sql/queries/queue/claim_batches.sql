-- claim_batches
-- $1 smallint  lane
-- $2 bigint    most heartbeats, though never less than one row
-- $3 bigint    most rows
-- Takes the lane's oldest rows out of the queue; they come back if the transaction does not commit. SKIP LOCKED, so
-- that two who take the same lane in spite of the lane lock share it and never wait.
WITH claimed AS MATERIALIZED (
    SELECT id, heartbeats FROM heartbeat_queue
    WHERE lane = $1
    ORDER BY id
    LIMIT $3
    FOR UPDATE SKIP LOCKED
), bounded AS (
    SELECT id FROM (SELECT id, sum(heartbeats) OVER (ORDER BY id) - heartbeats AS before FROM claimed) AS running
    WHERE before < $2
)
DELETE FROM heartbeat_queue AS q
USING bounded
WHERE q.lane = $1 AND q.id = bounded.id
RETURNING q.video_id, q.region, q.captured_on, q.start_sec, q.end_sec, q.viewer_hash
