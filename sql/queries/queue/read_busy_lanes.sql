-- read_busy_lanes
-- $1 smallint  number of lanes
-- Lanes with something in the queue, each found by one look into the primary key, the longest waiting first.
SELECT l.lane::smallint AS lane, q.id
FROM generate_series(0, $1::smallint - 1) AS l (lane)
CROSS JOIN LATERAL (SELECT id FROM heartbeat_queue WHERE lane = l.lane ORDER BY id LIMIT 1) AS q
ORDER BY q.id
