-- read_newest_marks
-- $1 bigint  counter
-- $2 bigint  seq before which to begin
-- $3 bigint  rows at most
-- Nobody who is being erased.
SELECT r.seq, r.at, n.member_id
FROM counter_marks AS r
JOIN counter_members AS n ON n.member = r.member AND n.member_id IS NOT NULL
WHERE r.counter = $1 AND r.seq < $2
ORDER BY r.counter DESC, r.seq DESC
LIMIT $3
