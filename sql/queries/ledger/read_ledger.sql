-- read_ledger
-- $1 text  video, empty for all those of which nothing was ever accepted
-- $2 date  first day
-- $3 date  last day
SELECT day, element, outcome, elements
FROM ledger
WHERE video_id = $1 AND day BETWEEN $2 AND $3
ORDER BY day, element, outcome
