-- read_salt_epochs
-- $1 date  first day
-- $2 date  last day
SELECT first_day, rotation
FROM salt_epochs
WHERE last_day >= $1 AND first_day <= $2
ORDER BY first_day
