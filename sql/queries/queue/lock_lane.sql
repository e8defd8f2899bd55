-- lock_lane
-- $1 integer  lane
-- Waits until no worker is at the lane, and keeps workers away until the transaction ends.
SELECT pg_advisory_xact_lock(hashtext('heatstrip lane'), $1)
