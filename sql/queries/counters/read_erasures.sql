-- read_erasures
-- $1 uuid  key of an id, NULL for all
-- Those that have not ended.
SELECT member FROM counter_erasures
WHERE ended_at IS NULL AND ($1::uuid IS NULL OR name_key = $1)
ORDER BY member
