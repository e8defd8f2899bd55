-- read_nights
SELECT step, succeeded_at, failure FROM nights ORDER BY step
