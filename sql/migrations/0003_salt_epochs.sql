-- Salt epochs end early when the setting changes, and their salts are destroyed when nobody needs them any more.

ALTER TABLE salt_epochs ADD COLUMN used_through date;
COMMENT ON COLUMN salt_epochs.used_through IS 'Last UTC day whose heartbeats may have been hashed with the salt, committed before the first such hash: the epoch never ends before it; NULL if there is none';

-- Statistics keep samples of a column. What they hold of salts goes, and no more is taken: a destroyed salt must be
-- nowhere.
ALTER TABLE salt_epochs
    ALTER COLUMN salt TYPE bytea, ALTER COLUMN salt SET STATISTICS 0,
    ALTER COLUMN fingerprint TYPE bytea, ALTER COLUMN fingerprint SET STATISTICS 0;

-- What was written so far tells how far the salts were used.
UPDATE salt_epochs SET used_through = (
    SELECT max(captured_on)
    FROM (
        SELECT captured_on FROM video_heatmap_whole
        UNION ALL
        SELECT captured_on FROM video_heatmap_whole_shards
        UNION ALL
        SELECT unnest(captured_on) FROM heartbeat_queue
        UNION ALL
        SELECT captured_on FROM heartbeat_queue_failed
    ) AS days
    WHERE captured_on BETWEEN first_day AND last_day
);
