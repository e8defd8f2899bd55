-- lock_counters_by_number
-- $1 bigint[]  counters
SELECT counter, total, last_seq, packed_seq, starting
FROM counters
WHERE counter = ANY ($1)
ORDER BY counter
FOR NO KEY UPDATE
