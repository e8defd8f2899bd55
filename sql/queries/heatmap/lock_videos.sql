-- lock_videos
-- $1 text[]     videos
-- $2 integer[]  their salt epochs: first days, counted back from 0001-01-01
-- Held to the end of the transaction by whoever changes canonical rows of a video in an epoch. In the order of the numbers
-- that are locked and not of the names, as two names may have one number.
SELECT pg_advisory_xact_lock(video, epoch)
FROM (
    SELECT DISTINCT hashtext('heatstrip video ' || video_id) AS video, epoch
    FROM unnest($1::text[], $2::integer[]) AS u (video_id, epoch)
    ORDER BY 1, 2
) AS locks
