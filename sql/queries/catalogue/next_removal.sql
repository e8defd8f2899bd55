-- next_removal
-- $1 text  video
UPDATE catalogue_changes SET change = change + 1, removal = change + 1
WHERE EXISTS (SELECT 1 FROM catalogue WHERE video_id = $1)
