-- Audience: what a coordinated sample of each video-day's viewers watched, for set questions.
--
-- Sketches know neither intersections nor differences. So the fold keeps, for some days, what the viewers with the smallest
-- elements watched: all of them while they are few, then about as many as the sample's size.

CREATE TABLE sample_settings (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    size integer NOT NULL,
    kept_from date NOT NULL
);
COMMENT ON TABLE sample_settings IS 'How the audience is sampled: one row';
COMMENT ON COLUMN sample_settings.only_row IS 'True: there is one row';
COMMENT ON COLUMN sample_settings.size IS 'Viewers that the sample of a video-day is thinned to, as the worker that started last has it; 0 while nobody is sampled';
COMMENT ON COLUMN sample_settings.kept_from IS 'First day whose sample is whole and kept: heartbeats of earlier days are not sampled, and questions about them are refused';

-- Days that were folded before there was a sample have none. The last of them is in the newest partition that is not empty.
DO $$
DECLARE
    leaf regclass;
    folded date;
    last_folded date;
BEGIN
    FOR leaf IN
        (SELECT inhrelid::regclass FROM pg_inherits WHERE inhparent = 'video_heatmap_whole_shards'::regclass
            ORDER BY inhrelid::regclass::text DESC LIMIT 40)
        UNION ALL
        (SELECT inhrelid::regclass FROM pg_inherits WHERE inhparent = 'video_heatmap_whole'::regclass
            ORDER BY inhrelid::regclass::text DESC LIMIT 2)
    LOOP
        EXECUTE format('SELECT max(captured_on) FROM %s', leaf) INTO folded;
        last_folded := greatest(last_folded, folded);
    END LOOP;
    INSERT INTO sample_settings (size, kept_from) VALUES (1024, coalesce(last_folded + 1, '0001-01-01'));
END $$;

CREATE TABLE sampled_watches (
    video_id text COLLATE "C" NOT NULL,
    captured_on date NOT NULL,
    viewers integer NOT NULL,
    threshold bigint,
    open bytea NOT NULL,
    sealed bytea,
    PRIMARY KEY (video_id, captured_on)
) PARTITION BY RANGE (captured_on);
COMMENT ON TABLE sampled_watches IS 'What the sampled viewers of a video-day watched: a row a video-day, a partition a day. Viewers are hashes';
COMMENT ON COLUMN sampled_watches.video_id IS 'Video';
COMMENT ON COLUMN sampled_watches.captured_on IS 'UTC day of capture';
COMMENT ON COLUMN sampled_watches.viewers IS 'An upper bound of the viewers in both values: who stands in several places counts several times';
COMMENT ON COLUMN sampled_watches.threshold IS 'The smallest element that was ever thinned, its top bit flipped so that it sorts as unsigned elements do; whoever is at or above it is out. NULL while everybody is in';
COMMENT ON COLUMN sampled_watches.open IS 'What came since the row was sealed last: short, so that a step rewrites little. Viewers one behind the other, each with an element of 8 bytes, a region and stretches of seconds; src/audience/sample/codec.rs has the layout';
COMMENT ON COLUMN sampled_watches.sealed IS 'What came before, joined and sorted, in the same layout; out of the row, so that a step does not rewrite it';
-- Hashes do not compress, and the length of a value that is not compressed is known without reading it.
ALTER TABLE sampled_watches ALTER COLUMN sealed SET STORAGE EXTERNAL;
ALTER TABLE sampled_watches ALTER COLUMN open SET STORAGE EXTERNAL;

CREATE FUNCTION ensure_sample_partition(day date) RETURNS void LANGUAGE sql AS $$
    -- Rows grow while their day is open: their next versions find room on their page.
    SELECT ensure_partition('sampled_watches', 'sampled_watches' || to_char(day, '"_"YYYYMMDD'), day, day + 1,
        'fillfactor = 80, toast_tuple_target = 4080, autovacuum_vacuum_scale_factor = 0.05');
$$;
COMMENT ON FUNCTION ensure_sample_partition IS 'Makes sure that the sample of a day has a partition to go to';

CREATE FUNCTION drop_sample_partitions(kept_from date) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    leaf regclass;
    dropped integer := 0;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('heatstrip partitions'), 0);
    FOR leaf IN
        SELECT i.inhrelid::regclass
        FROM pg_inherits AS i
        JOIN pg_class AS c ON c.oid = i.inhrelid
        WHERE i.inhparent = 'sampled_watches'::regclass AND to_date(right(c.relname, 8), 'YYYYMMDD') < kept_from
        ORDER BY c.relname
    LOOP
        EXECUTE format('DROP TABLE %s', leaf);
        dropped := dropped + 1;
    END LOOP;
    RETURN dropped;
END $$;
COMMENT ON FUNCTION drop_sample_partitions IS 'Drops the samples of all days before a day; the caller sets a short lock_timeout';
