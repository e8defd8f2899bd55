-- insert_batch_ids
-- $1 text       ring
-- $2 uuid[]     batch ids
-- $3 integer[]  how many heartbeats were accepted of each
-- $4 text[]     the rejections of each, JSON arrays
-- Returns those that are new. Sorted, so that two transactions with the same ids do not wait for each other in a circle.
-- The look into the previous slot is a subquery with a LIMIT, which stays one look into the index an id: as a join it was
-- planned to read all the ids of the slot, for every commit.
INSERT INTO batch_ids (slot, batch_id, accepted, rejected)
SELECT r.first_slot + r.position, b.batch_id, b.accepted, b.rejected
FROM batch_id_rings AS r,
    unnest($2::uuid[], $3::integer[], $4::text[]) AS b (batch_id, accepted, rejected)
WHERE r.ring = $1
    AND (
        SELECT true FROM batch_ids AS seen
        WHERE seen.batch_id = b.batch_id AND seen.slot = (r.first_slot + (r.position + 2) % 3)::smallint
        LIMIT 1
    ) IS NULL
ORDER BY b.batch_id
ON CONFLICT (batch_id, slot) DO NOTHING
RETURNING batch_id
