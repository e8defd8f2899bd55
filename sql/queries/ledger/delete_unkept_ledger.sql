-- delete_unkept_ledger
-- $1 date    first day that is kept
-- $2 bigint  most rows
-- Where a row lies says which it is: none of a day that is over is counted up any more, or it is kept for one night longer.
DELETE FROM ledger
WHERE ctid = ANY (ARRAY(SELECT ctid FROM ledger WHERE day < $1 ORDER BY day LIMIT $2)) AND day < $1
