-- insert_events
-- $1 bigint[]       counters
-- $2 bigint[]       seqs
-- $3 bigint[]       members
-- $4 timestamptz[]  times
-- $5 integer[]      deltas
INSERT INTO counter_events (counter, seq, member, at, delta)
SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::timestamptz[], $5::integer[])
