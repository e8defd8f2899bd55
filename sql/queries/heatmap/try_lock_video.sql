-- try_lock_video
-- $1 text     video
-- $2 integer  salt epoch: its first day, counted back from 0001-01-01
SELECT pg_try_advisory_xact_lock(hashtext('heatstrip video ' || $1::text), $2) AS locked
