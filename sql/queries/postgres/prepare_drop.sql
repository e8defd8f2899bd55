-- prepare_drop
-- Whoever waits for a lock on a table makes everybody behind it wait: for a blink only, and then it is tried again later.
SET LOCAL lock_timeout = '20ms'
