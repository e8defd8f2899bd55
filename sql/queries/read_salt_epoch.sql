-- read_salt_epoch
-- $1 date  day
SELECT epoch, first_day, last_day, rotation, salt, fingerprint
FROM salt_epochs
WHERE $1 BETWEEN first_day AND last_day
