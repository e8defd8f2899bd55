-- use_salt_epoch
-- $1 date  day whose heartbeats are about to be hashed
-- Whoever cuts the epoch at the same time goes first or sees this day: nothing is returned if the day is cut off.
UPDATE salt_epochs
SET used_through = greatest(used_through, $1)
WHERE $1 BETWEEN first_day AND last_day
RETURNING epoch, last_day, rotation, salt, fingerprint, made_at
