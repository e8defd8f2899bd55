-- read_queue_depth
SELECT coalesce(sum(heartbeats), 0)::bigint AS heartbeats, min(enqueued_at) AS oldest, max(id) AS last_id
FROM heartbeat_queue
