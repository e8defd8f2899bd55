-- rewrite_row
-- $1 smallint  lane
-- $2 bigint    row
-- $3 integer   heartbeats
-- $4 bigint    the seconds they cover, all together
-- $5 bytea     payload
UPDATE heartbeat_queue
SET heartbeats = $3, watched_secs = $4, payload = $5,
    video_id = NULL, region = NULL, captured_on = NULL, start_sec = NULL, end_sec = NULL, viewer_hash = NULL
WHERE lane = $1 AND id = $2
