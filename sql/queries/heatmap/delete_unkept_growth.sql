-- delete_unkept_growth
-- $1 date  first day that is kept
DELETE FROM video_heatmap_growth WHERE captured_on < $1
