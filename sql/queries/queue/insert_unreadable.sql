-- insert_unreadable
-- $1 timestamptz  now
-- $2 text         reason
-- $3 bytea        what nobody can read
INSERT INTO heartbeat_queue_failed (failed_at, reason, payload) VALUES ($1, $2, $3)
