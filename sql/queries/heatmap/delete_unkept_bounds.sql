-- delete_unkept_bounds
-- $1 date  first day of the month of the first day that is kept
-- Of months that are over for good; a bound that counts some days too many is one still.
DELETE FROM video_heatmap_bounds WHERE month < $1
