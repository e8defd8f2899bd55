-- enqueue_lane
-- $1 smallint     lane
-- $2 timestamptz  now
-- $3 text[]       videos
-- $4 text[]       regions
-- $5 date[]       days of capture
-- $6 integer[]    first seconds
-- $7 integer[]    last seconds
-- $8 bigint[]     viewer hashes
INSERT INTO heartbeat_queue (lane, enqueued_at, heartbeats, video_id, region, captured_on, start_sec, end_sec, viewer_hash)
VALUES ($1, $2, cardinality($3::text[]), $3, $4, $5, $6, $7, $8)
