-- read_live_salts
-- $1 text  purpose
-- The epochs whose salts there are.
SELECT epoch, first_day, last_day, rotation, salt, fingerprint, made_at
FROM salt_epochs
WHERE purpose = $1 AND salt IS NOT NULL
ORDER BY first_day
