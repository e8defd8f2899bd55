-- replace_fingerprint
-- $1 bigint  epoch
-- $2 bytea   its fingerprint until now
-- $3 bytea   its fingerprint from now on
UPDATE salt_epochs SET fingerprint = $3 WHERE epoch = $1 AND fingerprint = $2
