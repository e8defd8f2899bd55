-- forget_erasures
-- Whoever still waits for the answer of an erasure finds its number within a day.
DELETE FROM counter_erasures WHERE ended_at < now() - interval '1 day'
