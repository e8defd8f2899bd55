-- share_hash
-- $1 bigint  hash of a user
-- Whoever binds it to another waits until this transaction ends.
SELECT pg_advisory_xact_lock_shared($1)
