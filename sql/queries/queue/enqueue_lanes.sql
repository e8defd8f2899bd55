-- enqueue_lanes
-- $1 smallint[]   lanes
-- $2 integer[]    heartbeats of each
-- $3 bigint[]     the seconds they cover, all together
-- $4 bytea[]      payload of each
-- $5 timestamptz  now
-- One statement for all lanes of a group: small groups touch as many lanes as large ones. The transaction has its number
-- before the first row has its id, which the heads of the lanes rely on: the condition is looked at once, before any row.
INSERT INTO heartbeat_queue (lane, enqueued_at, heartbeats, watched_secs, payload)
SELECT l.lane, $5, l.heartbeats, l.watched_secs, l.payload
FROM unnest($1::smallint[], $2::integer[], $3::bigint[], $4::bytea[]) AS l (lane, heartbeats, watched_secs, payload)
WHERE pg_current_xact_id() IS NOT NULL
