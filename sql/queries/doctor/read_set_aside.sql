-- read_set_aside
-- How many heartbeats are set aside, and why the last one was.
SELECT (SELECT count(*) FROM heartbeat_queue_failed) AS heartbeats,
    (SELECT reason FROM heartbeat_queue_failed ORDER BY id DESC LIMIT 1) AS reason
