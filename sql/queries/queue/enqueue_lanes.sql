-- enqueue_lanes
-- $1 smallint[]   lanes
-- $2 integer[]    number of each lane's first heartbeat in the arrays below, from 1
-- $3 integer[]    number of its last
-- $4 timestamptz  now
-- $5 text[]       videos
-- $6 text[]       regions
-- $7 date[]       days of capture
-- $8 integer[]    first seconds
-- $9 integer[]    last seconds
-- $10 bigint[]    viewer hashes
-- One statement for all lanes of a group: small groups touch as many lanes as large ones.
INSERT INTO heartbeat_queue (lane, enqueued_at, heartbeats, video_id, region, captured_on, start_sec, end_sec, viewer_hash)
SELECT l.lane, $4, l.last - l.first + 1, ($5::text[])[l.first:l.last], ($6::text[])[l.first:l.last],
    ($7::date[])[l.first:l.last], ($8::integer[])[l.first:l.last], ($9::integer[])[l.first:l.last],
    ($10::bigint[])[l.first:l.last]
FROM unnest($1::smallint[], $2::integer[], $3::integer[]) AS l (lane, first, last)
