-- revoke_key
-- $1 text: the name
-- $2 timestamptz: now
-- The secrets go, the row stays: names are not given twice, and a database that had a key is never open again by itself.
UPDATE access_keys
SET revoked_at = $2, hash = NULL, signing_secret = NULL
WHERE name = $1 AND revoked_at IS NULL
