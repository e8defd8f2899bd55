-- stream_lock_lane
-- $1 smallint  lane
-- How far a lane is folded, and up to which message it may be; nobody else folds it until the transaction ends.
SELECT l.generation, l.sequence, s.registered
FROM queue_stream_lanes AS l CROSS JOIN queue_stream AS s
WHERE l.lane = $1
FOR UPDATE OF l
