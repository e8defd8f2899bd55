-- write_half_lives
-- $1 integer  of recent masses, in seconds; NULL leaves it as it is
-- $2 integer  of baselines, in seconds; NULL leaves it as it is
UPDATE trending_half_lives
SET recent_secs = coalesce($1, recent_secs), baseline_secs = coalesce($2, baseline_secs)
