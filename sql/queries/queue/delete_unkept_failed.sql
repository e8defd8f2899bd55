-- delete_unkept_failed
-- A row of the queue that could not be read tells no day: it goes by the one on which it was set aside.
DELETE FROM heartbeat_queue_failed
WHERE coalesce(captured_on, (failed_at AT TIME ZONE 'UTC')::date) < (SELECT kept_from FROM retention)
