-- read_unmerged
-- $1 date    epoch to begin behind
-- $2 bigint  device to begin behind
-- $3 bigint  bindings at most
SELECT epoch, device FROM view_bindings
WHERE NOT merged AND (epoch, device) > ($1, $2)
ORDER BY epoch, device
LIMIT $3
