-- delete_fine
-- $1 text    video
-- $2 date[]  days
DELETE FROM video_heatmap WHERE video_id = $1 AND captured_on = ANY ($2::date[])
