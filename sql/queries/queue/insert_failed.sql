-- insert_failed
-- $1 timestamptz  now
-- $2 text         what the database said
-- $3 text         video
-- $4 text         region
-- $5 date         day of capture
-- $6 integer      first second
-- $7 integer      last second
-- $8 bigint       viewer hash
INSERT INTO heartbeat_queue_failed (failed_at, reason, video_id, region, captured_on, start_sec, end_sec, viewer_hash)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
