-- insert_failed
-- $1 timestamptz  now
-- $2 text         what the database said
-- $3 text         video
-- $4 text         region
-- $5 date         day of capture
-- $6 integer      first second, NULL for a view
-- $7 integer      last second, likewise
-- $8 bigint       viewer hash
-- $9 bytea        a view as it was queued, NULL for a heartbeat
INSERT INTO heartbeat_queue_failed (failed_at, reason, video_id, region, captured_on, start_sec, end_sec, viewer_hash, payload)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
