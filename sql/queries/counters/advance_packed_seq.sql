-- advance_packed_seq
-- $1 bigint  counter, locked
-- $2 bigint  through which seq
UPDATE counters SET packed_seq = $2 WHERE counter = $1
