-- forget_failed
-- $1 text  video
-- $2 date  day, NULL for all
-- A row of the queue that could not be read tells neither its videos nor its days: it goes if the name stands in it.
DELETE FROM heartbeat_queue_failed
WHERE (video_id = $1 AND captured_on = coalesce($2, captured_on))
    OR (video_id IS NULL AND position(convert_to($1, 'UTF8') IN payload) > 0)
