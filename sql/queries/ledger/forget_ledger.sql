-- forget_ledger
-- $1 text  video
-- $2 date  first day
-- $3 date  last day
DELETE FROM ledger WHERE video_id = $1 AND day BETWEEN $2 AND $3
