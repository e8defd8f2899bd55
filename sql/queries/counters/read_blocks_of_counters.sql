-- read_blocks_of_counters
-- $1 bigint[]  counters
SELECT counter, first_seq, members, times
FROM counter_blocks
WHERE counter = ANY ($1)
ORDER BY counter, first_seq
