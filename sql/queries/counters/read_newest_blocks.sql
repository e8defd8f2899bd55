-- read_newest_blocks
-- $1 bigint  counter
-- $2 bigint  seq before which to begin
-- $3 bigint  rows at most
SELECT first_seq, members, times
FROM counter_blocks
WHERE counter = $1 AND first_seq < $2
ORDER BY counter DESC, first_seq DESC
LIMIT $3
