-- stream_read
-- How far the stream is read, and how far each lane is folded; no row, and the queue is the table.
SELECT s.name, s.created, s.generation, s.registered, s.registered_message, s.heartbeats,
    (SELECT array_agg(sequence ORDER BY lane) FROM queue_stream_lanes) AS lanes,
    (SELECT sum(heartbeats)::bigint FROM queue_stream_lanes) AS folded
FROM queue_stream AS s
