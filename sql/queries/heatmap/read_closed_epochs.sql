-- read_closed_epochs
-- $1 date  they are over before this day
-- $2 date  and touch this day or a later one
SELECT first_day, last_day
FROM salt_epochs
WHERE purpose = 'heartbeats' AND last_day < $1 AND last_day >= $2
ORDER BY first_day
