-- rotate_batch_ids
-- $1 text         ring
-- $2 double       seconds for which ids are kept
-- $3 timestamptz  now
SELECT rotate_batch_ids($1, make_interval(secs => $2), $3) AS rotated
