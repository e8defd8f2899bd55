-- read_erasures
-- $1 uuid  key of an id, NULL for all
SELECT member FROM counter_erasures WHERE $1::uuid IS NULL OR name_key = $1 ORDER BY member
