-- take_block_runs
-- $1 date     day
-- $2 text     video
-- $3 integer  first second of the block
-- $4 integer  its last second
DELETE FROM video_heatmap_runs
WHERE video_id = $2 AND captured_on = $1 AND start_sec BETWEEN $3 AND $4
RETURNING region, start_sec, end_sec, viewers, plays
