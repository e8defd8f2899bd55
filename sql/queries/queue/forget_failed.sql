-- forget_failed
-- $1 text  video
-- $2 date  day, NULL for all
DELETE FROM heartbeat_queue_failed WHERE video_id = $1 AND captured_on = coalesce($2, captured_on)
