-- cut_salt_epoch
-- $1 bigint  epoch
-- $2 date    today
-- Ends it with today, or with the day that a process whose clock is ahead has used it for.
UPDATE salt_epochs
SET last_day = greatest($2, used_through)
WHERE epoch = $1 AND last_day > greatest($2, used_through)
RETURNING last_day
