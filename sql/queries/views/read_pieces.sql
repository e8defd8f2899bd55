-- read_pieces
-- $1 text    video
-- $2 text[]  regions
-- $3 date[]  first days of months
-- $4 date[]  days
-- By epoch, so that one union is open at a time.
SELECT epoch, views, viewers
FROM (
    SELECT epoch, views, viewers FROM view_months WHERE video_id = $1 AND region = ANY ($2) AND month = ANY ($3)
    UNION ALL
    SELECT epoch, views, viewers FROM view_days WHERE video_id = $1 AND region = ANY ($2) AND day = ANY ($4)
) AS pieces
ORDER BY epoch
