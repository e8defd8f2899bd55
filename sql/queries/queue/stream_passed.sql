-- stream_passed
-- $1 integer  generation
-- Forgets what every lane has passed. Committed with a sync it makes the steps before it durable, so that the stream may lose
-- their messages: through which one, and no further than the one before the last that is registered.
WITH passed AS MATERIALIZED (
    SELECT min(sequence) AS sequence FROM queue_stream_lanes WHERE generation = $1
), repeats AS (
    DELETE FROM queue_stream_repeats USING passed WHERE queue_stream_repeats.sequence <= passed.sequence
), forgotten AS (
    DELETE FROM queue_stream_forgotten USING passed WHERE queue_stream_forgotten.through <= passed.sequence
)
UPDATE queue_stream SET name = name
FROM passed
WHERE generation = $1 AND passed.sequence IS NOT NULL
RETURNING least(passed.sequence, registered - 1) AS passed
