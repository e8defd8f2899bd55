-- stream_lock
-- $1 integer  generation
-- Keeps others from registering messages; no row if somebody is at it, or if another stream was taken.
SELECT registered FROM queue_stream WHERE generation = $1 FOR UPDATE SKIP LOCKED
