-- read_uncounted
-- $1 date  first day of an epoch
-- $2 date  last day of it
-- $3 text  video
-- A number that is another one whenever a spread block of the video has changed in the epoch; 0 if nothing is noted.
SELECT coalesce(sum(changes), 0)::bigint AS changes
FROM video_heatmap_uncounted
WHERE video_id = $3 AND captured_on BETWEEN $1 AND $2
