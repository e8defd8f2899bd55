-- read_ended_epochs
-- $1 text         purpose
-- $2 timestamptz  epochs that had ended and were made by then
SELECT first_day
FROM salt_epochs
WHERE purpose = $1 AND greatest((last_day + 1)::timestamp AT TIME ZONE 'UTC', made_at) <= $2
