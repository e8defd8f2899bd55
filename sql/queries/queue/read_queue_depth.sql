-- read_queue_depth
-- Lane by lane, from where on it can have rows: dead ones are not looked at.
SELECT coalesce(sum(q.heartbeats), 0)::bigint AS heartbeats, min(q.oldest) AS oldest, max(q.last_id) AS last_id
FROM generate_series(0, (SELECT lanes - 1 FROM engine)) AS l (lane)
CROSS JOIN LATERAL (
    SELECT sum(heartbeats) AS heartbeats, min(enqueued_at) AS oldest, max(id) AS last_id FROM heartbeat_queue
    WHERE lane = l.lane AND id >= coalesce((SELECT heads[l.lane + 1] FROM heartbeat_queue_heads), 0)
) AS q
