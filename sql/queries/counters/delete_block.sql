-- delete_block
-- $1 bigint  counter, locked
-- $2 bigint  first seq
DELETE FROM counter_blocks WHERE counter = $1 AND first_seq = $2
