-- Queued heartbeats in one string of bytes. Six arrays were taken apart and put together again by the server for every
-- commit and every claim; nothing there looks into them.

ALTER TABLE heartbeat_queue
    ADD COLUMN watched_secs bigint,
    ADD COLUMN payload bytea,
    ALTER COLUMN video_id DROP NOT NULL,
    ALTER COLUMN region DROP NOT NULL,
    ALTER COLUMN captured_on DROP NOT NULL,
    ALTER COLUMN start_sec DROP NOT NULL,
    ALTER COLUMN end_sec DROP NOT NULL,
    ALTER COLUMN viewer_hash DROP NOT NULL,
    ADD CHECK (payload IS NOT NULL OR video_id IS NOT NULL);
COMMENT ON COLUMN heartbeat_queue.heartbeats IS 'How many heartbeats the row holds';
COMMENT ON COLUMN heartbeat_queue.watched_secs IS 'The seconds they cover, all together; NULL where an earlier version wrote the row';
COMMENT ON COLUMN heartbeat_queue.payload IS 'The heartbeats, as events::hashed lays them out; NULL where an earlier version wrote the row, whose heartbeats are in the arrays';
COMMENT ON COLUMN heartbeat_queue.video_id IS 'Videos, in rows of an earlier version';
COMMENT ON COLUMN heartbeat_queue.region IS 'Regions, likewise';
COMMENT ON COLUMN heartbeat_queue.captured_on IS 'UTC days of capture, likewise';
COMMENT ON COLUMN heartbeat_queue.start_sec IS 'First seconds watched, likewise';
COMMENT ON COLUMN heartbeat_queue.end_sec IS 'Last seconds watched, inclusive, likewise';
COMMENT ON COLUMN heartbeat_queue.viewer_hash IS 'Salted viewer hashes, likewise; viewer ids are never stored';
DO $$
BEGIN
    ALTER TABLE heartbeat_queue ALTER COLUMN payload SET COMPRESSION lz4;
EXCEPTION WHEN feature_not_supported THEN
    RAISE NOTICE 'this server cannot compress with lz4';
END $$;

-- What cannot even be read is set aside as it is.
ALTER TABLE heartbeat_queue_failed
    ADD COLUMN payload bytea,
    ALTER COLUMN video_id DROP NOT NULL,
    ALTER COLUMN region DROP NOT NULL,
    ALTER COLUMN captured_on DROP NOT NULL,
    ALTER COLUMN start_sec DROP NOT NULL,
    ALTER COLUMN end_sec DROP NOT NULL,
    ALTER COLUMN viewer_hash DROP NOT NULL;
COMMENT ON TABLE heartbeat_queue_failed IS 'Heartbeats that could not be folded even alone, set aside so that they block nobody, and rows of the queue that could not be read';
COMMENT ON COLUMN heartbeat_queue_failed.payload IS 'A row of the queue that could not be read; NULL for a heartbeat, which is in the other columns';
