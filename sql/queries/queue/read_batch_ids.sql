-- read_batch_ids
-- $1 smallint  the slot that ids go to
-- $2 smallint  the slot before it
-- $3 uuid[]    batch ids
SELECT batch_id, accepted, rejected
FROM batch_ids
WHERE slot IN ($1, $2) AND batch_id = ANY ($3::uuid[])
