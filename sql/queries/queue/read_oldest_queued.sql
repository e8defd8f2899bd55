-- read_oldest_queued
-- $1 smallint  number of lanes
-- When the oldest queue row was accepted: one look into the primary key a lane, however deep the queue is.
SELECT min(q.enqueued_at) AS oldest
FROM generate_series(0, $1::smallint - 1) AS l (lane)
CROSS JOIN LATERAL (
    SELECT enqueued_at FROM heartbeat_queue
    WHERE lane = l.lane AND id >= coalesce((SELECT heads[l.lane + 1] FROM heartbeat_queue_heads), 0)
    ORDER BY id
    LIMIT 1
) AS q
