-- stream_register
-- $1 bigint  the last message that was registered
-- $2 bigint  the last one that is now
-- $3 text    its id
-- $4 bigint  heartbeats and views of those between
UPDATE queue_stream
SET registered = $2, registered_message = $3, heartbeats = heartbeats + $4
WHERE registered = $1
