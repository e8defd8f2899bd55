-- Coarser levels, so that a strip unites few sketches: 5 s, 60 s and the whole video.
--
-- Canonical rows of every level are written by compaction alone, all of them in the transaction that takes the shard rows
-- away: each level is the union of the canonical seconds at any instant. The whole video is kept by the fold too, in
-- shards of its own, so that the list of videos does not unite every second of the open day.

CREATE TABLE video_heatmap_5s (
    video_id text COLLATE "C" NOT NULL,
    captured_on date NOT NULL,
    region text COLLATE "C" NOT NULL,
    bucket_sec integer NOT NULL,
    last_sec integer NOT NULL,
    viewers hll(12,5) NOT NULL,
    plays bigint NOT NULL,
    PRIMARY KEY (video_id, region, captured_on, bucket_sec)
) PARTITION BY RANGE (captured_on);
COMMENT ON TABLE video_heatmap_5s IS 'Canonical rows of 5 seconds: one per video, UTC day, region (and GLOBAL) and bucket; a partition a month';
COMMENT ON COLUMN video_heatmap_5s.video_id IS 'Video';
COMMENT ON COLUMN video_heatmap_5s.captured_on IS 'UTC day of capture';
COMMENT ON COLUMN video_heatmap_5s.region IS 'Region, or GLOBAL for the union of all';
COMMENT ON COLUMN video_heatmap_5s.bucket_sec IS 'First second of the bucket, a multiple of 5';
COMMENT ON COLUMN video_heatmap_5s.last_sec IS 'Last watched second of the bucket';
COMMENT ON COLUMN video_heatmap_5s.viewers IS 'Sketch of the viewers present in any of its seconds';
COMMENT ON COLUMN video_heatmap_5s.plays IS 'Sum of the plays of its seconds';

CREATE TABLE video_heatmap_60s (
    video_id text COLLATE "C" NOT NULL,
    captured_on date NOT NULL,
    region text COLLATE "C" NOT NULL,
    bucket_sec integer NOT NULL,
    last_sec integer NOT NULL,
    viewers hll(12,5) NOT NULL,
    plays bigint NOT NULL,
    PRIMARY KEY (video_id, region, captured_on, bucket_sec)
) PARTITION BY RANGE (captured_on);
COMMENT ON TABLE video_heatmap_60s IS 'Canonical rows of 60 seconds: one per video, UTC day, region (and GLOBAL) and bucket; a partition a month';
COMMENT ON COLUMN video_heatmap_60s.video_id IS 'Video';
COMMENT ON COLUMN video_heatmap_60s.captured_on IS 'UTC day of capture';
COMMENT ON COLUMN video_heatmap_60s.region IS 'Region, or GLOBAL for the union of all';
COMMENT ON COLUMN video_heatmap_60s.bucket_sec IS 'First second of the bucket, a multiple of 60';
COMMENT ON COLUMN video_heatmap_60s.last_sec IS 'Last watched second of the bucket';
COMMENT ON COLUMN video_heatmap_60s.viewers IS 'Sketch of the viewers present in any of its seconds';
COMMENT ON COLUMN video_heatmap_60s.plays IS 'Sum of the plays of its seconds';

CREATE TABLE video_heatmap_whole (
    video_id text COLLATE "C" NOT NULL,
    captured_on date NOT NULL,
    region text COLLATE "C" NOT NULL,
    last_sec integer NOT NULL,
    viewers hll(12,5) NOT NULL,
    plays bigint NOT NULL,
    PRIMARY KEY (video_id, region, captured_on)
) PARTITION BY RANGE (captured_on);
COMMENT ON TABLE video_heatmap_whole IS 'Canonical rows of whole videos: one per video, UTC day and region (and GLOBAL); a partition a month';
COMMENT ON COLUMN video_heatmap_whole.video_id IS 'Video';
COMMENT ON COLUMN video_heatmap_whole.captured_on IS 'UTC day of capture';
COMMENT ON COLUMN video_heatmap_whole.region IS 'Region, or GLOBAL for the union of all';
COMMENT ON COLUMN video_heatmap_whole.last_sec IS 'Last watched second';
COMMENT ON COLUMN video_heatmap_whole.viewers IS 'Sketch of the viewers of any second';
COMMENT ON COLUMN video_heatmap_whole.plays IS 'Sum of the plays of all seconds';

-- For the list of videos: the days of one region among those of all.
CREATE INDEX video_heatmap_whole_days ON video_heatmap_whole (region, captured_on);

CREATE TABLE video_heatmap_whole_shards (
    video_id text COLLATE "C" NOT NULL,
    captured_on date NOT NULL,
    region text COLLATE "C" NOT NULL,
    shard smallint NOT NULL,
    last_sec integer NOT NULL,
    viewers hll(12,5) NOT NULL,
    plays bigint NOT NULL,
    PRIMARY KEY (video_id, captured_on, region, shard)
) PARTITION BY RANGE (captured_on);
COMMENT ON TABLE video_heatmap_whole_shards IS 'Whole videos as the workers write them: one row per video, UTC day, region and lane; a partition a day';
COMMENT ON COLUMN video_heatmap_whole_shards.video_id IS 'Video';
COMMENT ON COLUMN video_heatmap_whole_shards.captured_on IS 'UTC day of capture';
COMMENT ON COLUMN video_heatmap_whole_shards.region IS 'Region, never GLOBAL';
COMMENT ON COLUMN video_heatmap_whole_shards.shard IS 'Lane of the worker that wrote it';
COMMENT ON COLUMN video_heatmap_whole_shards.last_sec IS 'Last watched second';
COMMENT ON COLUMN video_heatmap_whole_shards.viewers IS 'Sketch of the viewers of any second';
COMMENT ON COLUMN video_heatmap_whole_shards.plays IS 'Sum of the plays of all seconds';

CREATE OR REPLACE FUNCTION ensure_shard_partition(day date) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    storage CONSTANT text := 'fillfactor = 70, toast_tuple_target = 4080, autovacuum_vacuum_scale_factor = 0.05';
    suffix CONSTANT text := to_char(day, '"_"YYYYMMDD');
BEGIN
    PERFORM ensure_partition('video_heatmap_shards', 'video_heatmap_shards' || suffix, day, day + 1, storage);
    PERFORM ensure_partition('video_heatmap_whole_shards', 'video_heatmap_whole_shards' || suffix, day, day + 1, storage);
END $$;
COMMENT ON FUNCTION ensure_shard_partition IS 'Makes sure that heartbeats of a day have partitions to go to';

-- Canonical rows rarely change once they are written: pages are filled, but for a little room for late heartbeats.
CREATE FUNCTION ensure_canonical_partition(day date) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    storage CONSTANT text := 'fillfactor = 95, toast_tuple_target = 4080';
    first_day CONSTANT date := date_trunc('month', day);
    next_day CONSTANT date := date_trunc('month', day) + interval '1 month';
    suffix CONSTANT text := to_char(day, '"_"YYYYMM');
    parent text;
BEGIN
    FOREACH parent IN ARRAY ARRAY['video_heatmap', 'video_heatmap_5s', 'video_heatmap_60s', 'video_heatmap_whole'] LOOP
        PERFORM ensure_partition(parent, parent || suffix, first_day, next_day, storage);
    END LOOP;
END $$;
COMMENT ON FUNCTION ensure_canonical_partition IS 'Makes sure that compaction of a day has partitions to go to';

-- Days that were written before there were whole videos get theirs now.
SELECT ensure_shard_partition(captured_on) FROM (SELECT DISTINCT captured_on FROM video_heatmap_shards) AS days;
INSERT INTO video_heatmap_whole_shards (video_id, captured_on, region, shard, last_sec, viewers, plays)
SELECT video_id, captured_on, region, shard, max(bucket_sec), hll_union_agg(viewers), sum(plays)
FROM video_heatmap_shards
GROUP BY 1, 2, 3, 4;

-- Takes the parents' lock for the moment of the drop: nobody writes between the look and the drop. Who waits for it makes
-- others wait, so the caller sets a short lock_timeout and tries again later.
CREATE FUNCTION drop_shard_partition(day date) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    seconds CONSTANT text := to_char(day, '"video_heatmap_shards_"YYYYMMDD');
    whole CONSTANT text := to_char(day, '"video_heatmap_whole_shards_"YYYYMMDD');
    rows_left boolean;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('heatstrip partitions'), 0);
    IF (SELECT count(*) FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid
            WHERE i.inhparent IN ('video_heatmap_shards'::regclass, 'video_heatmap_whole_shards'::regclass)
                AND c.relname IN (seconds, whole)) < 2 THEN
        RETURN false;
    END IF;
    -- In the order in which workers and readers come to them.
    LOCK TABLE ONLY video_heatmap_whole_shards, ONLY video_heatmap_shards IN ACCESS EXCLUSIVE MODE;
    EXECUTE format('SELECT EXISTS (SELECT FROM %I) OR EXISTS (SELECT FROM %I)', seconds, whole) INTO rows_left;
    IF rows_left THEN
        RETURN false;
    END IF;
    EXECUTE format('DROP TABLE %I, %I', seconds, whole);
    RETURN true;
END $$;
COMMENT ON FUNCTION drop_shard_partition IS 'Drops the partitions of a day whose shard rows are all compacted; false if some are not';
