-- read_salt_epoch
-- $1 date  day
SELECT epoch, last_day, rotation, salt, fingerprint, made_at, coalesce(used_through >= $1, false) AS used
FROM salt_epochs
WHERE $1 BETWEEN first_day AND last_day
