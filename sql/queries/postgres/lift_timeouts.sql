-- lift_timeouts
-- A migration may take as long as it takes, and waits for another's.
SET statement_timeout = 0;
SET lock_timeout = 0
