-- read_ids
-- $1 uuid[]  keys of ids
SELECT id, content, seq FROM read_counter_ids($1)
