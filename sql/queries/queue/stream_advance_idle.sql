-- stream_advance_idle
-- $1 integer     generation
-- $2 smallint[]  lanes
-- $3 bigint[]    how far each is folded
-- $4 bigint      a message through which they have nothing more
-- A lane that somebody folds at the moment is left alone.
WITH idle AS MATERIALIZED (
    SELECT l.lane FROM queue_stream_lanes AS l
    JOIN unnest($2::smallint[], $3::bigint[]) AS i (lane, sequence) ON i.lane = l.lane AND i.sequence = l.sequence
    WHERE l.generation = $1
    ORDER BY l.lane
    FOR UPDATE OF l SKIP LOCKED
)
UPDATE queue_stream_lanes AS l SET sequence = $4 FROM idle WHERE l.lane = idle.lane AND l.sequence < $4
