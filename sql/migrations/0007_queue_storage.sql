-- A queue row lives for a second: compressing it should cost little. lz4 takes a fourth of the time of the default and
-- is as small; a server that was built without it keeps the default.
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['video_id', 'region', 'captured_on', 'start_sec', 'end_sec', 'viewer_hash'] LOOP
        EXECUTE format('ALTER TABLE heartbeat_queue ALTER COLUMN %I SET COMPRESSION lz4', name);
    END LOOP;
EXCEPTION WHEN feature_not_supported THEN
    RAISE NOTICE 'this server cannot compress with lz4';
END $$;
