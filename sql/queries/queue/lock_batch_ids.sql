-- lock_batch_ids
-- $1 text  ring
-- Held shared until the transaction ends: the ring does not turn between the look-up and the insert.
SELECT pg_advisory_xact_lock_shared(hashtext('heatstrip batch ids'), first_slot)
FROM batch_id_rings
WHERE ring = $1
