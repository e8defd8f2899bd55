-- claim_row
-- $1 smallint  lane
-- $2 bigint    row
DELETE FROM heartbeat_queue
WHERE lane = $1 AND id = $2
RETURNING heartbeats, watched_secs, payload, video_id, region, captured_on, start_sec, end_sec, viewer_hash
