-- delete_packed_events
-- $1 bigint  counter, locked
-- $2 bigint  through which seq
DELETE FROM counter_events WHERE counter = $1 AND seq <= $2
