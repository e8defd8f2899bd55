-- add_erased
-- $1 bigint  member, its erasure locked
-- $2 bigint  records
UPDATE counter_erasures SET records = records + $2 WHERE member = $1
