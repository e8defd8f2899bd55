-- destroy_salts
-- $1 timestamptz  an epoch that had ended and was made by then loses its salt
UPDATE salt_epochs
SET salt = NULL, fingerprint = NULL
WHERE (salt IS NOT NULL OR fingerprint IS NOT NULL)
    AND greatest((last_day + 1)::timestamp AT TIME ZONE 'UTC', made_at) <= $1
