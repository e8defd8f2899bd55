-- insert_blocks
-- $1 bigint       counter, locked
-- $2 bigint       first seq
-- $3 timestamptz  earliest time
-- $4 timestamptz  latest time
-- $5 bigint[]     members
-- $6 bytea        times
INSERT INTO counter_blocks (counter, first_seq, first_at, last_at, members, times)
VALUES ($1, $2, $3, $4, $5, $6)
