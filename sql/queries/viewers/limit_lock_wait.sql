-- limit_lock_wait
-- For the session: whoever waits for a lock on a table makes everybody behind it wait.
SET lock_timeout = '100ms'
