-- read_half_lives
SELECT recent_secs, baseline_secs FROM trending_half_lives
