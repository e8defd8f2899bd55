-- write_night
-- $1 text         step
-- $2 timestamptz  when it was tried
-- $3 text         why it failed, NULL if it succeeded
INSERT INTO nights (step, tried_at, succeeded_at, failure)
VALUES ($1, $2, CASE WHEN $3::text IS NULL THEN $2::timestamptz END, $3::text)
ON CONFLICT (step) DO UPDATE SET
    tried_at = EXCLUDED.tried_at,
    succeeded_at = coalesce(EXCLUDED.succeeded_at, nights.succeeded_at),
    failure = EXCLUDED.failure
