-- read_salt_epochs
-- $1 date  first day
-- $2 date  last day
-- $3 text  purpose
SELECT first_day, rotation
FROM salt_epochs
WHERE purpose = $3 AND last_day >= $1 AND first_day <= $2
ORDER BY first_day
