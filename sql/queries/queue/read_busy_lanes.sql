-- read_busy_lanes
-- $1 smallint     number of lanes
-- $2 timestamptz  a lane is ripe if its oldest row was accepted by then,
-- $3 bigint       or if it holds this many heartbeats
-- The ripe lanes, the longest waiting first: the oldest row is one look into the primary key, and heartbeats are counted
-- only of lanes that are young, so have few rows.
SELECT l.lane::smallint AS lane, q.id
FROM generate_series(0, $1::smallint - 1) AS l (lane)
CROSS JOIN LATERAL (SELECT id, enqueued_at FROM heartbeat_queue WHERE lane = l.lane ORDER BY id LIMIT 1) AS q
WHERE CASE
    WHEN q.enqueued_at <= $2 THEN true
    ELSE (SELECT sum(heartbeats) FROM heartbeat_queue WHERE lane = l.lane) >= $3
END
ORDER BY q.id
