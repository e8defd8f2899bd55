-- insert_batch_ids
-- $1 smallint   the slot that ids go to
-- $2 smallint   the slot before it
-- $3 uuid[]     batch ids
-- $4 integer[]  how many heartbeats were accepted of each
-- $5 text[]     the rejections of each, JSON arrays
-- Returns those that are new. Sorted, so that two transactions with the same ids do not wait for each other in a circle.
-- The look into the previous slot is a subquery with a LIMIT, which stays one look into the index an id: as a join it was
-- planned to read all the ids of the slot, for every commit.
INSERT INTO batch_ids (slot, batch_id, accepted, rejected)
SELECT $1, b.batch_id, b.accepted, b.rejected
FROM unnest($3::uuid[], $4::integer[], $5::text[]) AS b (batch_id, accepted, rejected)
WHERE (SELECT true FROM batch_ids AS seen WHERE seen.batch_id = b.batch_id AND seen.slot = $2 LIMIT 1) IS NULL
ORDER BY b.batch_id
ON CONFLICT (batch_id, slot) DO NOTHING
RETURNING batch_id
