-- Runs instead of rows of seconds: a stretch of seconds with one set of viewers is one row, however long it is.
--
-- The fold appends shard runs. Compaction merges them into canonical runs, and spreads the blocks that are popular to the
-- rows of seconds and their levels that were there before. A block is 3,600 seconds of a video on one UTC day; no run
-- crosses the edge of one.

-- -- the earlier form: a row a second, which workers of an earlier version wrote. The night empties it. --
ALTER TABLE video_heatmap_shards RENAME TO video_heatmap_second_shards;
ALTER INDEX video_heatmap_shards_pkey RENAME TO video_heatmap_second_shards_pkey;
DO $$
DECLARE
    leaf name;
BEGIN
    FOR leaf IN SELECT c.relname FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid
            WHERE i.inhparent = 'video_heatmap_second_shards'::regclass LOOP
        EXECUTE format('ALTER TABLE %I RENAME TO %I', leaf,
            replace(leaf, 'video_heatmap_shards_', 'video_heatmap_second_shards_'));
    END LOOP;
END $$;
COMMENT ON TABLE video_heatmap_second_shards IS 'Shard rows of an earlier version, one a second; nothing is written here any more, compaction empties it';

-- -- shard runs --
CREATE TABLE video_heatmap_shards (
    video_id text COLLATE "C" NOT NULL,
    captured_on date NOT NULL,
    region text COLLATE "C" NOT NULL,
    start_sec integer NOT NULL,
    end_sec integer NOT NULL,
    viewers hll(12,5) NOT NULL,
    plays bigint NOT NULL
) PARTITION BY RANGE (captured_on);
COMMENT ON TABLE video_heatmap_shards IS 'Shard runs: what a step of the worker folded, appended and never updated; compaction moves them to canonical rows. A partition a day';
COMMENT ON COLUMN video_heatmap_shards.video_id IS 'Video';
COMMENT ON COLUMN video_heatmap_shards.captured_on IS 'UTC day of capture';
COMMENT ON COLUMN video_heatmap_shards.region IS 'Region, never GLOBAL';
COMMENT ON COLUMN video_heatmap_shards.start_sec IS 'First second of the run';
COMMENT ON COLUMN video_heatmap_shards.end_sec IS 'Last second of the run, inclusive, in the same block as the first';
COMMENT ON COLUMN video_heatmap_shards.viewers IS 'Sketch of the viewers present in each of its seconds';
COMMENT ON COLUMN video_heatmap_shards.plays IS 'How many times each of its seconds was played, repeats included';
-- The only index: writers never look anything up.
CREATE INDEX video_heatmap_shards_lookup ON video_heatmap_shards (video_id, captured_on, start_sec);

-- -- canonical runs --
CREATE TABLE video_heatmap_runs (
    video_id text COLLATE "C" NOT NULL,
    captured_on date NOT NULL,
    region text COLLATE "C" NOT NULL,
    start_sec integer NOT NULL,
    end_sec integer NOT NULL,
    viewers hll(12,5) NOT NULL,
    plays bigint NOT NULL,
    PRIMARY KEY (video_id, region, captured_on, start_sec)
) PARTITION BY RANGE (captured_on);
COMMENT ON TABLE video_heatmap_runs IS 'Canonical runs of the blocks that are not spread; those of one video, region and day never overlap. A partition a month';
COMMENT ON COLUMN video_heatmap_runs.video_id IS 'Video';
COMMENT ON COLUMN video_heatmap_runs.captured_on IS 'UTC day of capture';
COMMENT ON COLUMN video_heatmap_runs.region IS 'Region, never GLOBAL';
COMMENT ON COLUMN video_heatmap_runs.start_sec IS 'First second of the run';
COMMENT ON COLUMN video_heatmap_runs.end_sec IS 'Last second of the run, inclusive, in the same block as the first';
COMMENT ON COLUMN video_heatmap_runs.viewers IS 'Sketch of the viewers present in each of its seconds';
COMMENT ON COLUMN video_heatmap_runs.plays IS 'How many times each of its seconds was played, repeats included';

CREATE TABLE video_heatmap_spread (
    video_id text COLLATE "C" NOT NULL,
    captured_on date NOT NULL,
    block smallint NOT NULL,
    PRIMARY KEY (video_id, captured_on, block)
) PARTITION BY RANGE (captured_on);
COMMENT ON TABLE video_heatmap_spread IS 'The blocks whose canonical form is rows of seconds and their levels; all others are canonical runs. A block never goes back. A partition a month';
COMMENT ON COLUMN video_heatmap_spread.video_id IS 'Video';
COMMENT ON COLUMN video_heatmap_spread.captured_on IS 'UTC day of capture';
COMMENT ON COLUMN video_heatmap_spread.block IS 'Number of the block: its first second divided by 3,600';

CREATE TABLE video_heatmap_growth (
    video_id text COLLATE "C" NOT NULL,
    captured_on date NOT NULL,
    runs_appended bigint NOT NULL,
    PRIMARY KEY (video_id, captured_on)
)
-- A popular video's count changes with every step: its next versions find room on their page.
WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05);
COMMENT ON TABLE video_heatmap_growth IS 'How many shard runs the fold has appended since the last night, by video and day: whenever a count passes a multiple of the trigger, the worker compacts that video and day at once';
COMMENT ON COLUMN video_heatmap_growth.video_id IS 'Video';
COMMENT ON COLUMN video_heatmap_growth.captured_on IS 'UTC day of capture';
COMMENT ON COLUMN video_heatmap_growth.runs_appended IS 'Shard runs appended since the night last compacted this day';

-- -- whole videos: a video has one lane, so the column that told lanes apart goes. --
ALTER TABLE video_heatmap_whole_shards DROP CONSTRAINT video_heatmap_whole_shards_pkey;
ALTER TABLE video_heatmap_whole_shards DROP COLUMN shard;
ALTER TABLE video_heatmap_whole_shards ADD PRIMARY KEY (video_id, captured_on, region);
COMMENT ON TABLE video_heatmap_whole_shards IS 'Whole videos as the workers write them: one row per video, UTC day and region; a partition a day';

-- -- partitions --
CREATE OR REPLACE FUNCTION ensure_shard_partition(day date) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    suffix CONSTANT text := to_char(day, '"_"YYYYMMDD');
BEGIN
    -- Runs are appended and taken away again, never updated: pages are filled to the brim, and vacuum waits for rows that
    -- are taken away.
    PERFORM ensure_partition('video_heatmap_shards', 'video_heatmap_shards' || suffix, day, day + 1,
        'fillfactor = 100, toast_tuple_target = 4080, autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_insert_threshold = -1');
    PERFORM ensure_partition('video_heatmap_whole_shards', 'video_heatmap_whole_shards' || suffix, day, day + 1,
        'fillfactor = 50, toast_tuple_target = 4080, autovacuum_vacuum_scale_factor = 0.05');
END $$;

CREATE OR REPLACE FUNCTION ensure_canonical_partition(day date) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    -- Rows are read, united and written again while their day is open: their next versions find room on their page, and
    -- vacuum comes before they are many.
    storage CONSTANT text := 'fillfactor = 70, toast_tuple_target = 4080, autovacuum_vacuum_scale_factor = 0.05';
    first_day CONSTANT date := date_trunc('month', day);
    next_day CONSTANT date := date_trunc('month', day) + interval '1 month';
    suffix CONSTANT text := to_char(day, '"_"YYYYMM');
    parent text;
BEGIN
    FOREACH parent IN ARRAY ARRAY['video_heatmap', 'video_heatmap_5s', 'video_heatmap_60s', 'video_heatmap_whole'] LOOP
        PERFORM ensure_partition(parent, parent || suffix, first_day, next_day, storage);
    END LOOP;
    -- Runs that change are taken away and written anew: room on their page would stay empty.
    PERFORM ensure_partition('video_heatmap_runs', 'video_heatmap_runs' || suffix, first_day, next_day,
        'fillfactor = 100, toast_tuple_target = 4080, autovacuum_vacuum_scale_factor = 0.05');
    PERFORM ensure_partition('video_heatmap_spread', 'video_heatmap_spread' || suffix, first_day, next_day, 'fillfactor = 100');
END $$;

-- -- what an earlier version compacted is seconds, and stays so --
SELECT ensure_canonical_partition(to_date(right(c.relname, 6), 'YYYYMM'))
FROM pg_inherits AS i
JOIN pg_class AS c ON c.oid = i.inhrelid
WHERE i.inhparent = 'video_heatmap_60s'::regclass;
INSERT INTO video_heatmap_spread (video_id, captured_on, block)
SELECT DISTINCT video_id, captured_on, (bucket_sec / 3600)::smallint
FROM video_heatmap_60s
WHERE region = 'GLOBAL';

-- -- drops --
CREATE OR REPLACE FUNCTION drop_shard_partition(day date) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    leaf regclass;
    leaves regclass[];
    rows_left boolean;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('heatstrip partitions'), 0);
    SELECT array_agg(c.oid::regclass) INTO leaves
    FROM pg_inherits AS i
    JOIN pg_class AS c ON c.oid = i.inhrelid
    WHERE (i.inhparent, c.relname) IN (
        ('video_heatmap_whole_shards'::regclass, to_char(day, '"video_heatmap_whole_shards_"YYYYMMDD')),
        ('video_heatmap_shards'::regclass, to_char(day, '"video_heatmap_shards_"YYYYMMDD')),
        ('video_heatmap_second_shards'::regclass, to_char(day, '"video_heatmap_second_shards_"YYYYMMDD')));
    IF leaves IS NULL THEN
        RETURN false;
    END IF;
    -- In the order in which workers and readers come to them.
    LOCK TABLE ONLY video_heatmap_whole_shards, ONLY video_heatmap_shards, ONLY video_heatmap_second_shards
        IN ACCESS EXCLUSIVE MODE;
    FOREACH leaf IN ARRAY leaves LOOP
        EXECUTE format('SELECT count(*) > 0 FROM (SELECT 1 FROM %s LIMIT 1) AS first_row', leaf) INTO rows_left;
        IF rows_left THEN
            RETURN false;
        END IF;
    END LOOP;
    FOREACH leaf IN ARRAY leaves LOOP
        EXECUTE format('DROP TABLE %s', leaf);
    END LOOP;
    RETURN true;
END $$;
COMMENT ON FUNCTION drop_shard_partition IS 'Drops the partitions of a day whose shard rows, of every form, are all compacted; false if some are not';

-- The day comes in as data: the table that says it stays where it is when the others are distributed.
DROP FUNCTION drop_unkept_partitions();
CREATE FUNCTION drop_unkept_partitions(kept_from date) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    leaf regclass;
    dropped integer := 0;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('heatstrip partitions'), 0);
    FOR leaf IN
        SELECT i.inhrelid::regclass
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
        -- In the order in which workers and readers come to them.
        ORDER BY array_position(ARRAY['video_heatmap_whole_shards'::regclass, 'video_heatmap_shards'::regclass,
            'video_heatmap_second_shards'::regclass], i.inhparent::regclass), i.inhparent, c.relname
    LOOP
        EXECUTE format('DROP TABLE %s', leaf);
        dropped := dropped + 1;
    END LOOP;
    RETURN dropped;
END $$;
COMMENT ON FUNCTION drop_unkept_partitions IS 'Drops the partitions whose days are all before a day; the caller sets a short lock_timeout';
