-- limit_migration_wait
-- For the transaction: whoever waits for a lock on a table makes everybody behind it wait.
SET LOCAL lock_timeout = '300ms'
