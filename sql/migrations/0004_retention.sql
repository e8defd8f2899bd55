-- What is kept: old days go, and before that their seconds are thinned to 5 s.

CREATE TABLE retention (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    kept_from date NOT NULL,
    fine_from date NOT NULL
);
COMMENT ON TABLE retention IS 'From which days on rows are kept, and kept by the second; one row. Moved forward before anything is removed, so that nobody reads a half-removed day';
COMMENT ON COLUMN retention.only_row IS 'Keeps the table to one row';
COMMENT ON COLUMN retention.kept_from IS 'First UTC day that is kept: earlier ones are not read, and their heartbeats are refused';
COMMENT ON COLUMN retention.fine_from IS 'First UTC day that is kept by the second: earlier ones have 5 s at the finest';
INSERT INTO retention (kept_from, fine_from) VALUES ('0001-01-01', '0001-01-01');

-- As drop_shard_partition, whatever is in the partitions: for days that are not kept any more.
CREATE FUNCTION drop_unkept_partitions() RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    kept_from CONSTANT date := (SELECT r.kept_from FROM retention AS r);
    leaf regclass;
    dropped integer := 0;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('heatstrip partitions'), 0);
    FOR leaf IN
        SELECT i.inhrelid::regclass
        FROM pg_inherits AS i
        JOIN pg_class AS c ON c.oid = i.inhrelid
        JOIN pg_class AS p ON p.oid = i.inhparent
        -- A CASE, as the order in which AND and OR look at a name is anybody's guess.
        WHERE kept_from >= CASE
            WHEN p.oid IN ('video_heatmap_shards'::regclass, 'video_heatmap_whole_shards'::regclass)
                THEN to_date(right(c.relname, 8), 'YYYYMMDD') + 1
            WHEN p.oid IN ('video_heatmap'::regclass, 'video_heatmap_5s'::regclass, 'video_heatmap_60s'::regclass,
                    'video_heatmap_whole'::regclass)
                THEN (to_date(right(c.relname, 6), 'YYYYMM') + interval '1 month')::date
        END
    LOOP
        EXECUTE format('DROP TABLE %s', leaf);
        dropped := dropped + 1;
    END LOOP;
    RETURN dropped;
END $$;
COMMENT ON FUNCTION drop_unkept_partitions IS 'Drops the partitions whose days are all before kept_from; the caller sets a short lock_timeout';
