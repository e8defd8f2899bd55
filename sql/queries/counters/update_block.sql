-- update_block
-- $1 bigint       counter, locked
-- $2 bigint       first seq
-- $3 timestamptz  earliest time
-- $4 timestamptz  latest time
-- $5 bigint[]     members
-- $6 bytea        times
UPDATE counter_blocks SET first_at = $3, last_at = $4, members = $5, times = $6
WHERE counter = $1 AND first_seq = $2
