-- read_clock
-- The one place that asks: what time it is there, to compare it with the time here.
SELECT clock_timestamp() AS now
