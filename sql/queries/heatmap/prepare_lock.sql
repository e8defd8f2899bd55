-- prepare_lock
-- The lock of a night is held by a transaction that does nothing else, so that it goes through a pooler, and goes with the
-- session when the process dies. Between statements it has no snapshot, and keeps no vacuum from its work.
SET LOCAL idle_in_transaction_session_timeout = 0
