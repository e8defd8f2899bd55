-- queue_packable
-- $1 bigint[]  counters, locked and sorted
INSERT INTO counter_pack_queue (counter)
SELECT unnest($1::bigint[])
ON CONFLICT (counter) DO NOTHING
