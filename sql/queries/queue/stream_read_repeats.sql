-- stream_read_repeats
-- $1 bigint  behind this message
-- $2 bigint  through this one
SELECT sequence, batch FROM queue_stream_repeats WHERE sequence > $1 AND sequence <= $2
