-- prepare_drop
-- Whoever waits for a lock on a table makes everybody behind it wait: for a moment only.
SET LOCAL lock_timeout = '100ms'
