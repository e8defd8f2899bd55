-- delete_unkept_bounds
-- Of months that are over for good; a bound that counts some days too many is one still.
DELETE FROM video_heatmap_bounds WHERE month < date_trunc('month', (SELECT kept_from FROM retention))
