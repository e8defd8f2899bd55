-- read_busy_lanes
-- $1 smallint     number of lanes
-- $2 timestamptz  a lane is ripe if its oldest row was accepted by then,
-- $3 bigint       or if it holds this many heartbeats
-- The ripe lanes, the longest waiting first: the oldest row is one look into the primary key, and heartbeats are counted
-- only of lanes that are young, so have few rows.
SELECT l.lane, q.id
FROM (
    SELECT n.lane::smallint AS lane, coalesce((SELECT heads[n.lane + 1] FROM heartbeat_queue_heads), 0) AS head
    FROM generate_series(0, $1::smallint - 1) AS n (lane)
) AS l
CROSS JOIN LATERAL (
    SELECT id, enqueued_at FROM heartbeat_queue WHERE lane = l.lane AND id >= l.head ORDER BY id LIMIT 1
) AS q
WHERE CASE
    WHEN q.enqueued_at <= $2 THEN true
    ELSE (SELECT sum(heartbeats) FROM heartbeat_queue WHERE lane = l.lane AND id >= l.head) >= $3
END
ORDER BY q.id
