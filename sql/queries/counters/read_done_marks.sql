-- read_done_marks
-- $1 bigint       member
-- $2 smallint     kind, NULL for all
-- $3 timestamptz  time to begin with
-- $4 bigint       counter to begin behind, among those of that time
-- $5 bigint       seq to begin behind, among those of that counter
-- $6 bigint       rows at most
SELECT r.at, r.counter, r.seq, 1 AS delta, c.kind, o.object_type, o.object_id
FROM counter_marks AS r
JOIN counters AS c ON c.counter = r.counter
JOIN counter_objects AS o ON o.object = c.object
WHERE r.member = $1 AND r.at <= $3 AND (r.at, r.counter, r.seq) < ($3, $4, $5) AND ($2::smallint IS NULL OR c.kind = $2)
ORDER BY r.at DESC, r.counter DESC, r.seq DESC
LIMIT $6
