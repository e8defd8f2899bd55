-- dequeue_packable
-- $1 bigint  counter, locked
DELETE FROM counter_pack_queue WHERE counter = $1
