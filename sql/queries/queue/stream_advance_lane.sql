-- stream_advance_lane
-- $1 smallint  lane
-- $2 integer   generation
-- $3 bigint    the message through which it was folded
-- $4 bigint    the one through which it is now
-- $5 bigint    heartbeats and views of those between
UPDATE queue_stream_lanes
SET sequence = $4, heartbeats = heartbeats + $5
WHERE lane = $1 AND generation = $2 AND sequence = $3
