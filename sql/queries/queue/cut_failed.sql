-- cut_failed
-- $1 text     video
-- $2 date     day, NULL for all
-- $3 text     region, NULL for all
-- $4 integer  last second that stays
UPDATE heartbeat_queue_failed
SET end_sec = $4
WHERE video_id = $1 AND captured_on = coalesce($2, captured_on) AND region = coalesce($3, region)
    AND start_sec <= $4 AND end_sec > $4
