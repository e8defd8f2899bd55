-- remember_ids
-- $1 uuid[]    keys of ids
-- $2 bigint[]  what came with each
-- $3 bigint[]  what each was answered
SELECT remember_counter_ids($1, $2, $3)::text AS remembered
