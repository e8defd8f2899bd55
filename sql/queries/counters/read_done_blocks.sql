-- read_done_blocks
-- $1 bigint       member
-- $2 smallint     kind, NULL for all
-- $3 timestamptz  time to begin with
-- $4 bigint       blocks to skip
-- $5 bigint       rows at most
-- Latest first by the latest of each.
SELECT b.counter, b.first_seq, b.last_at, b.members, b.times, c.kind, o.object_type, o.object_id
FROM counter_blocks AS b
JOIN counters AS c ON c.counter = b.counter
JOIN counter_objects AS o ON o.object = c.object
WHERE b.members @> ARRAY[$1::bigint] AND b.first_at <= $3 AND ($2::smallint IS NULL OR c.kind = $2)
ORDER BY b.last_at DESC, b.counter DESC, b.first_seq DESC
OFFSET $4
LIMIT $5
