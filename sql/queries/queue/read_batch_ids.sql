-- read_batch_ids
-- $1 text    ring
-- $2 uuid[]  batch ids
SELECT s.batch_id, s.accepted, s.rejected
FROM batch_id_rings AS r
JOIN batch_ids AS s ON s.slot IN (r.first_slot + r.position, r.first_slot + (r.position + 2) % 3)
WHERE r.ring = $1 AND s.batch_id = ANY ($2)
