-- write_drift
-- $1 text         what was compared
-- $2 bigint       how many had drifted
-- $3 timestamptz  when
INSERT INTO drift (name, found, checked_at) VALUES ($1, $2, $3)
ON CONFLICT (name) DO UPDATE SET found = excluded.found, checked_at = excluded.checked_at
