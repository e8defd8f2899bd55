-- use_salt_epoch
-- $1 date  day whose viewers are about to be hashed
-- $2 text  purpose
-- Whoever cuts the epoch at the same time goes first or sees this day: nothing is returned if the day is cut off.
UPDATE salt_epochs
SET used_through = greatest(used_through, $1)
WHERE purpose = $2 AND $1 BETWEEN first_day AND last_day
RETURNING epoch, first_day, last_day, rotation, salt, fingerprint, made_at
