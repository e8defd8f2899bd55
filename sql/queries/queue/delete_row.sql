-- delete_row
-- $1 smallint  lane
-- $2 bigint    row
DELETE FROM heartbeat_queue WHERE lane = $1 AND id = $2
