-- delete_unkept_uncounted
-- $1 date  first day that is kept
DELETE FROM video_heatmap_uncounted WHERE captured_on < $1
