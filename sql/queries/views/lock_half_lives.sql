-- lock_half_lives
-- Held to the end of the transaction by whoever changes them; folds only read them.
SELECT recent_secs, baseline_secs FROM trending_half_lives FOR UPDATE
