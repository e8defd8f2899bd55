-- Partitions are dropped one by one: whoever waits for a drop waits for one, however many are due.

CREATE FUNCTION drop_unkept_partition(kept_from date) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    leaf regclass;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('heatstrip partitions'), 0);
    SELECT i.inhrelid::regclass INTO leaf
    FROM pg_inherits AS i
    JOIN pg_class AS c ON c.oid = i.inhrelid
    -- A CASE, as the order in which AND and OR look at a name is anybody's guess.
    WHERE kept_from >= CASE
        WHEN i.inhparent IN ('video_heatmap_shards'::regclass, 'video_heatmap_second_shards'::regclass,
                'video_heatmap_whole_shards'::regclass)
            THEN to_date(right(c.relname, 8), 'YYYYMMDD') + 1
        WHEN i.inhparent IN ('video_heatmap'::regclass, 'video_heatmap_5s'::regclass, 'video_heatmap_60s'::regclass,
                'video_heatmap_whole'::regclass, 'video_heatmap_runs'::regclass, 'video_heatmap_spread'::regclass)
            THEN (to_date(right(c.relname, 6), 'YYYYMM') + interval '1 month')::date
    END
    ORDER BY i.inhparent, c.relname
    LIMIT 1;
    IF leaf IS NOT NULL THEN
        EXECUTE format('DROP TABLE %s', leaf);
    END IF;
    RETURN leaf IS NOT NULL;
END $$;
COMMENT ON FUNCTION drop_unkept_partition IS 'Drops a partition whose days are all before a day, and returns whether there was one; the caller sets a short lock_timeout';

CREATE FUNCTION drop_sample_partition(kept_from date) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    leaf regclass;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('heatstrip partitions'), 0);
    SELECT i.inhrelid::regclass INTO leaf
    FROM pg_inherits AS i
    JOIN pg_class AS c ON c.oid = i.inhrelid
    WHERE kept_from > CASE WHEN i.inhparent = 'sampled_watches'::regclass THEN to_date(right(c.relname, 8), 'YYYYMMDD') END
    ORDER BY c.relname
    LIMIT 1;
    IF leaf IS NOT NULL THEN
        EXECUTE format('DROP TABLE %s', leaf);
    END IF;
    RETURN leaf IS NOT NULL;
END $$;
COMMENT ON FUNCTION drop_sample_partition IS 'Drops the samples of a day before a day, and returns whether there were any; the caller sets a short lock_timeout';
