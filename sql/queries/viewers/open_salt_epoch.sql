-- open_salt_epoch
-- $1 date         day the epoch must contain
-- $2 date         first day it may have
-- $3 date         last day it may have
-- $4 text         rotation
-- $5 bytea        salt, NULL when it comes from a setting
-- $6 bytea        fingerprint, NULL when the salt is made here
-- $7 timestamptz  now
-- $8 text         purpose
-- Clipped to the days around $1 that belong to no epoch yet. Of two who open the same epoch at once the exclusion
-- constraint lets the first win; the other finds it.
INSERT INTO salt_epochs (purpose, first_day, last_day, rotation, salt, fingerprint, made_at, used_through)
SELECT
    $8,
    greatest($2, (SELECT max(last_day) + 1 FROM salt_epochs WHERE purpose = $8 AND last_day < $1)),
    least($3, (SELECT min(first_day) - 1 FROM salt_epochs WHERE purpose = $8 AND first_day > $1)),
    $4, $5, $6, $7, $1
ON CONFLICT DO NOTHING
