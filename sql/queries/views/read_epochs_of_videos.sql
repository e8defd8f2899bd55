-- read_epochs_of_videos
-- $1 text[]  videos
SELECT video_id, viewers FROM view_epochs WHERE video_id = ANY ($1)
