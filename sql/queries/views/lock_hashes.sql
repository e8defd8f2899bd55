-- lock_hashes
-- $1 bigint[]  hashes of devices and users
-- Waits until nobody else binds one of them, and no piece is under way that makes rows one of them's. Sorted.
SELECT pg_advisory_xact_lock(h.hash)
FROM (SELECT DISTINCT hash FROM unnest($1::bigint[]) AS u (hash) ORDER BY hash) AS h
