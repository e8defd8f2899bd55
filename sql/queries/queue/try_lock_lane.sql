-- try_lock_lane
-- $1 smallint  lane
SELECT pg_try_advisory_xact_lock(hashtext('heatstrip lane'), $1) AS locked
