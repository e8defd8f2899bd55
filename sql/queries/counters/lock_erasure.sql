-- lock_erasure
-- $1 bigint  member
-- One piece of an erasure at a time, whoever works on it.
SELECT records, ended_at IS NOT NULL AS ended FROM counter_erasures WHERE member = $1 FOR UPDATE
