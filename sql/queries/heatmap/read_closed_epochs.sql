-- read_closed_epochs
-- $1 date  they are over before this day,
-- $2 date  touch this day or a later one,
-- $3 date  and this day or an earlier one
SELECT first_day, last_day
FROM salt_epochs
WHERE purpose = 'heartbeats' AND last_day < $1 AND last_day >= $2 AND first_day <= $3
ORDER BY first_day
