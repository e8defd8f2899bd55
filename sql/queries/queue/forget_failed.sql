-- forget_failed
-- $1 text     video
-- $2 date     day, NULL for all
-- $3 text     region, NULL for all
-- $4 integer  last second that stays, NULL for none; a view has no seconds, and stays where one is named
-- A row of the queue that could not be read tells neither its videos nor its days: it goes if the name stands in it.
DELETE FROM heartbeat_queue_failed
WHERE (video_id = $1 AND captured_on = coalesce($2, captured_on) AND region = coalesce($3, region)
        AND ($4::integer IS NULL OR start_sec > $4))
    OR (video_id IS NULL AND position(convert_to($1, 'UTF8') IN payload) > 0)
