-- insert_batch_ids
-- $1 text       ring
-- $2 uuid[]     batch ids
-- $3 integer[]  how many heartbeats were accepted of each
-- $4 text[]     the rejections of each, JSON arrays
-- Returns those that are new. Sorted, so that two transactions with the same ids do not wait for each other in a circle.
INSERT INTO batch_ids (slot, batch_id, accepted, rejected)
SELECT r.first_slot + r.position, b.batch_id, b.accepted, b.rejected
FROM batch_id_rings AS r,
    unnest($2::uuid[], $3::integer[], $4::text[]) AS b (batch_id, accepted, rejected)
WHERE r.ring = $1
    AND NOT EXISTS (
        SELECT FROM batch_ids AS seen
        WHERE seen.batch_id = b.batch_id AND seen.slot = r.first_slot + (r.position + 2) % 3
    )
ORDER BY b.batch_id
ON CONFLICT (batch_id, slot) DO NOTHING
RETURNING batch_id
