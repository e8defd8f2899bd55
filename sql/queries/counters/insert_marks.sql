-- insert_marks
-- $1 bigint[]       counters
-- $2 bigint[]       seqs
-- $3 bigint[]       members
-- $4 timestamptz[]  times
INSERT INTO counter_marks (counter, seq, member, at)
SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::timestamptz[])
