-- read_writable
-- False on a standby, and where somebody has made the database read-only. The setting covers the session, not a transaction
-- that is read-only by itself.
SELECT NOT pg_is_in_recovery() AND NOT current_setting('default_transaction_read_only')::boolean AS writable
