-- prepare_turn
-- While the turn of a ring waits for the commits under way, others wait behind it: for a blink only, it is tried again.
SET LOCAL lock_timeout = '50ms'
