-- delete_uncounted
-- $1 date  first day of an epoch
-- $2 date  last day of it
-- $3 text  video, which is locked
DELETE FROM video_heatmap_uncounted WHERE video_id = $3 AND captured_on BETWEEN $1 AND $2
