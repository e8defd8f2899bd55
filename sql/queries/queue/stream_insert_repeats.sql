-- stream_insert_repeats
-- $1 bigint[]   messages
-- $2 integer[]  the place of the batch in each
INSERT INTO queue_stream_repeats (sequence, batch)
SELECT r.sequence, r.batch FROM unnest($1::bigint[], $2::integer[]) AS r (sequence, batch)
