-- stream_take
-- $1 text    name
-- $2 text    when it was made
-- $3 bigint  the message before the first that it holds
-- $4 bigint  the last message through which it may have been read before; as $3, if it was not
-- Takes a stream; returns its generation.
INSERT INTO queue_stream AS s (name, created, generation, registered, registered_message, heartbeats)
VALUES ($1, $2, 1, $3, NULL, 0)
ON CONFLICT (only_row) DO UPDATE
SET name = excluded.name, created = excluded.created, generation = s.generation + 1,
    registered = least(greatest(s.registered, $3), $4), registered_message = NULL, heartbeats = 0
RETURNING generation
