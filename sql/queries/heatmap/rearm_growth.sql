-- rearm_growth
-- $1 text    video
-- $2 date    day
-- $3 bigint  trigger
-- A video-day that should have been compacted and was not passes its multiple again with the next run.
UPDATE video_heatmap_growth
SET runs_appended = runs_appended / $3 * $3 - 1
WHERE video_id = $1 AND captured_on = $2 AND runs_appended >= $3
