-- set_aside_unreadable
-- $1 smallint     lane
-- $2 timestamptz  now
-- $3 text         reason
-- Moves the lane's oldest row, which nobody can read, out of everybody's way as it is.
WITH oldest AS (
    SELECT id FROM heartbeat_queue WHERE lane = $1 ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED
), taken AS (
    DELETE FROM heartbeat_queue AS q USING oldest WHERE q.lane = $1 AND q.id = oldest.id RETURNING q.*
)
INSERT INTO heartbeat_queue_failed (failed_at, reason, payload)
SELECT $2, $3, coalesce(payload, convert_to(to_jsonb(taken)::text, 'UTF8')) FROM taken
