-- forget_watches
-- $1 text  video
-- $2 date  first day
-- $3 date  last day
DELETE FROM sampled_watches WHERE video_id = $1 AND captured_on BETWEEN $2 AND $3
