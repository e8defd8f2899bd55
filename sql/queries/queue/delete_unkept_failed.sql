-- delete_unkept_failed
DELETE FROM heartbeat_queue_failed WHERE captured_on < (SELECT kept_from FROM retention)
