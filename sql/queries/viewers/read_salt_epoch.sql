-- read_salt_epoch
-- $1 date  day
-- $2 text  purpose
SELECT epoch, first_day, last_day, rotation, salt, fingerprint, made_at, coalesce(used_through >= $1, false) AS used
FROM salt_epochs
WHERE purpose = $2 AND $1 BETWEEN first_day AND last_day
