-- set_aside_unreadable
-- $1 smallint     lane
-- $2 bigint       row
-- $3 timestamptz  now
-- $4 text         reason
-- Moves a row that nobody can read out of everybody's way as it is; returns how many heartbeats it says to hold.
WITH taken AS (
    DELETE FROM heartbeat_queue AS q WHERE q.lane = $1 AND q.id = $2 RETURNING q.*
), set_aside AS (
    INSERT INTO heartbeat_queue_failed (failed_at, reason, payload)
    SELECT $3, $4, coalesce(payload, convert_to(to_jsonb(taken)::text, 'UTF8')) FROM taken
)
SELECT heartbeats FROM taken
