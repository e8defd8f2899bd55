-- stream_take_lanes
-- $1 integer  generation
-- $2 integer  number of lanes
-- $3 bigint   the message before the first that the stream holds
-- $4 bigint   the last message through which it may have been read before; as $3, if it was not
-- What a lane has folded of the same stream is not folded again.
INSERT INTO queue_stream_lanes AS l (lane, generation, sequence, heartbeats)
SELECT n, $1, $3, 0 FROM generate_series(0, $2::integer - 1) AS n
ORDER BY n
ON CONFLICT (lane) DO UPDATE
SET generation = excluded.generation, sequence = least(greatest(l.sequence, $3), $4), heartbeats = 0
