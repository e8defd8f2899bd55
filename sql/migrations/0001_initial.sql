-- The write path (queue, shards), the canonical rows and the salts.
--
-- Rules that keep distribution by video one migration away: video_id leads every key of the heatmap tables, times come
-- in as data, ON CONFLICT names the whole key. A sketch is never indexed: an index entry holds 2,704 bytes at most,
-- and an index on it would also forbid HOT updates.

CREATE TABLE engine (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    lanes smallint NOT NULL CHECK (lanes BETWEEN 1 AND 1024)
);
COMMENT ON TABLE engine IS 'What was decided once, at the first migration; one row';
COMMENT ON COLUMN engine.only_row IS 'Keeps the table to one row';
COMMENT ON COLUMN engine.lanes IS 'Number of lanes: a video''s lane is hash(video_id) mod lanes';

CREATE TABLE salt_epochs (
    epoch bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    first_day date NOT NULL,
    last_day date NOT NULL CHECK (last_day >= first_day),
    rotation text NOT NULL CHECK (rotation IN ('daily', 'weekly', 'monthly', 'never')),
    salt bytea,
    fingerprint bytea,
    made_at timestamptz NOT NULL,
    -- A day belongs to one epoch, whatever two processes with different settings attempt.
    EXCLUDE USING gist (daterange(first_day, last_day, '[]') WITH &&)
);
COMMENT ON TABLE salt_epochs IS 'The spans of days that share a salt: the only authority on which salt a day uses; kept for ever';
COMMENT ON COLUMN salt_epochs.epoch IS 'Number of the epoch';
COMMENT ON COLUMN salt_epochs.first_day IS 'First UTC day, inclusive; 0001-01-01 for no limit';
COMMENT ON COLUMN salt_epochs.last_day IS 'Last UTC day, inclusive; 9999-12-31 for no limit';
COMMENT ON COLUMN salt_epochs.rotation IS 'The rotation setting under which the epoch was opened';
COMMENT ON COLUMN salt_epochs.salt IS '32 random bytes; NULL when the salt comes from a setting or is destroyed';
COMMENT ON COLUMN salt_epochs.fingerprint IS 'Tells whether a salt that comes from a setting is still the same; NULL for salts made here';
COMMENT ON COLUMN salt_epochs.made_at IS 'When the epoch was opened';

CREATE TABLE heartbeat_queue (
    lane smallint NOT NULL,
    id bigint GENERATED ALWAYS AS IDENTITY,
    enqueued_at timestamptz NOT NULL,
    heartbeats integer NOT NULL,
    video_id text[] NOT NULL,
    region text[] NOT NULL,
    captured_on date[] NOT NULL,
    start_sec integer[] NOT NULL,
    end_sec integer[] NOT NULL,
    viewer_hash bigint[] NOT NULL,
    PRIMARY KEY (lane, id),
    CHECK (heartbeats > 0 AND cardinality(video_id) = heartbeats AND cardinality(region) = heartbeats
        AND cardinality(captured_on) = heartbeats AND cardinality(start_sec) = heartbeats
        AND cardinality(end_sec) = heartbeats AND cardinality(viewer_hash) = heartbeats)
)
-- Rows live for a second: vacuum by count, not by a share of a table that is empty most of the time.
WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000,
      autovacuum_vacuum_insert_threshold = -1, toast.autovacuum_vacuum_scale_factor = 0,
      toast.autovacuum_vacuum_threshold = 2000);
COMMENT ON TABLE heartbeat_queue IS 'Accepted heartbeats that are not folded yet: a row is one lane of a group-committed batch, deleted by the transaction that folds it';
COMMENT ON COLUMN heartbeat_queue.lane IS 'hash(video_id) mod lanes, the same for all its heartbeats';
COMMENT ON COLUMN heartbeat_queue.id IS 'Order of arrival within the lane';
COMMENT ON COLUMN heartbeat_queue.enqueued_at IS 'When the batch was accepted';
COMMENT ON COLUMN heartbeat_queue.heartbeats IS 'How many heartbeats the row holds: the length of each array below';
COMMENT ON COLUMN heartbeat_queue.video_id IS 'Videos';
COMMENT ON COLUMN heartbeat_queue.region IS 'Regions';
COMMENT ON COLUMN heartbeat_queue.captured_on IS 'UTC days of capture';
COMMENT ON COLUMN heartbeat_queue.start_sec IS 'First seconds watched';
COMMENT ON COLUMN heartbeat_queue.end_sec IS 'Last seconds watched, inclusive';
COMMENT ON COLUMN heartbeat_queue.viewer_hash IS 'Salted viewer hashes; viewer ids are never stored';

CREATE TABLE heartbeat_queue_failed (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    failed_at timestamptz NOT NULL,
    reason text NOT NULL,
    video_id text NOT NULL,
    region text NOT NULL,
    captured_on date NOT NULL,
    start_sec integer NOT NULL,
    end_sec integer NOT NULL,
    viewer_hash bigint NOT NULL
);
COMMENT ON TABLE heartbeat_queue_failed IS 'Heartbeats that could not be folded even alone, set aside so that they block nobody';
COMMENT ON COLUMN heartbeat_queue_failed.id IS 'Order of failure';
COMMENT ON COLUMN heartbeat_queue_failed.failed_at IS 'When it was set aside';
COMMENT ON COLUMN heartbeat_queue_failed.reason IS 'What the database said';
COMMENT ON COLUMN heartbeat_queue_failed.video_id IS 'Video';
COMMENT ON COLUMN heartbeat_queue_failed.region IS 'Region';
COMMENT ON COLUMN heartbeat_queue_failed.captured_on IS 'UTC day of capture';
COMMENT ON COLUMN heartbeat_queue_failed.start_sec IS 'First second watched';
COMMENT ON COLUMN heartbeat_queue_failed.end_sec IS 'Last second watched, inclusive';
COMMENT ON COLUMN heartbeat_queue_failed.viewer_hash IS 'Salted viewer hash';

-- Batch ids live in rings of three slots each: ids go into the current slot and are looked up in the current and the
-- previous one; the third is emptied by TRUNCATE before it becomes current, so that nothing is ever deleted row by row.
CREATE TABLE batch_id_rings (
    ring text PRIMARY KEY,
    first_slot smallint NOT NULL,
    position smallint NOT NULL CHECK (position BETWEEN 0 AND 2),
    rotated_at timestamptz NOT NULL
);
COMMENT ON TABLE batch_id_rings IS 'Which slots of batch_ids are in use: one row per kind of batch id';
COMMENT ON COLUMN batch_id_rings.ring IS 'http: batches of clients; replay: chunks of replayed files';
COMMENT ON COLUMN batch_id_rings.first_slot IS 'First of the ring''s three slots';
COMMENT ON COLUMN batch_id_rings.position IS 'Which of the three slots is current';
COMMENT ON COLUMN batch_id_rings.rotated_at IS 'Since when it is';
INSERT INTO batch_id_rings VALUES ('http', 0, 0, '-infinity'), ('replay', 3, 0, '-infinity');

CREATE TABLE batch_ids (
    slot smallint NOT NULL,
    batch_id uuid NOT NULL,
    accepted integer NOT NULL,
    rejected text NOT NULL,
    PRIMARY KEY (batch_id, slot)
) PARTITION BY LIST (slot);
COMMENT ON TABLE batch_ids IS 'Batches already accepted, so that a client''s retry is answered and not counted again';
COMMENT ON COLUMN batch_ids.slot IS 'Slot of the ring it was accepted in';
COMMENT ON COLUMN batch_ids.batch_id IS 'The id its sender gave it';
COMMENT ON COLUMN batch_ids.accepted IS 'How many of its heartbeats were accepted';
COMMENT ON COLUMN batch_ids.rejected IS 'The rejections it was answered with, a JSON array';
CREATE TABLE batch_ids_0 PARTITION OF batch_ids FOR VALUES IN (0);
CREATE TABLE batch_ids_1 PARTITION OF batch_ids FOR VALUES IN (1);
CREATE TABLE batch_ids_2 PARTITION OF batch_ids FOR VALUES IN (2);
CREATE TABLE batch_ids_3 PARTITION OF batch_ids FOR VALUES IN (3);
CREATE TABLE batch_ids_4 PARTITION OF batch_ids FOR VALUES IN (4);
CREATE TABLE batch_ids_5 PARTITION OF batch_ids FOR VALUES IN (5);

CREATE FUNCTION rotate_batch_ids(which text, keep interval, at timestamptz) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    due batch_id_rings;
    next smallint;
BEGIN
    SELECT * INTO due FROM batch_id_rings WHERE ring = which AND rotated_at <= at - keep;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    -- Whoever accepts batches holds this lock shared until it commits: the current slot is the same for all of them.
    PERFORM pg_advisory_xact_lock(hashtext('heatstrip batch ids'), due.first_slot);
    SELECT * INTO due FROM batch_id_rings WHERE ring = which AND rotated_at <= at - keep FOR UPDATE;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    next := (due.position + 1) % 3;
    EXECUTE format('TRUNCATE batch_ids_%s', due.first_slot + next);
    UPDATE batch_id_rings SET position = next, rotated_at = at WHERE ring = which;
    RETURN true;
END $$;
COMMENT ON FUNCTION rotate_batch_ids IS 'Empties the oldest slot of a ring and makes it current, if the current one has been so for long enough: an id is remembered at least that long';

CREATE TABLE video_heatmap_shards (
    video_id text COLLATE "C" NOT NULL,
    captured_on date NOT NULL,
    region text COLLATE "C" NOT NULL,
    bucket_sec integer NOT NULL,
    shard smallint NOT NULL,
    viewers hll(12,5) NOT NULL,
    plays bigint NOT NULL,
    PRIMARY KEY (video_id, captured_on, region, bucket_sec, shard)
) PARTITION BY RANGE (captured_on);
COMMENT ON TABLE video_heatmap_shards IS 'Rows as the workers write them: one per video, UTC day, region, second and lane; a partition a day';
COMMENT ON COLUMN video_heatmap_shards.video_id IS 'Video';
COMMENT ON COLUMN video_heatmap_shards.captured_on IS 'UTC day of capture';
COMMENT ON COLUMN video_heatmap_shards.region IS 'Region, never GLOBAL';
COMMENT ON COLUMN video_heatmap_shards.bucket_sec IS 'Second of the video';
COMMENT ON COLUMN video_heatmap_shards.shard IS 'Lane of the worker that wrote it';
COMMENT ON COLUMN video_heatmap_shards.viewers IS 'Sketch of the viewers present in this second';
COMMENT ON COLUMN video_heatmap_shards.plays IS 'How many times this second was played, repeats included';

CREATE TABLE video_heatmap (
    video_id text COLLATE "C" NOT NULL,
    captured_on date NOT NULL,
    region text COLLATE "C" NOT NULL,
    bucket_sec integer NOT NULL,
    viewers hll(12,5) NOT NULL,
    plays bigint NOT NULL,
    -- Region before day: a range of days of one region is one stretch of the index.
    PRIMARY KEY (video_id, region, captured_on, bucket_sec)
) PARTITION BY RANGE (captured_on);
COMMENT ON TABLE video_heatmap IS 'Canonical rows: one per video, UTC day, region (and GLOBAL) and second; a partition a month';
COMMENT ON COLUMN video_heatmap.video_id IS 'Video';
COMMENT ON COLUMN video_heatmap.captured_on IS 'UTC day of capture';
COMMENT ON COLUMN video_heatmap.region IS 'Region, or GLOBAL for the union of all';
COMMENT ON COLUMN video_heatmap.bucket_sec IS 'Second of the video';
COMMENT ON COLUMN video_heatmap.viewers IS 'Sketch of the viewers present in this second';
COMMENT ON COLUMN video_heatmap.plays IS 'How many times this second was played, repeats included';

CREATE FUNCTION ensure_partition(parent text, leaf text, first_day date, next_day date, storage text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    -- By name and not with to_regclass: that may remember, past the lock, that there was none.
    IF EXISTS (SELECT FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid
            WHERE i.inhparent = parent::regclass AND c.relname = leaf) THEN
        RETURN;
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('heatstrip partitions'), 0);
    IF EXISTS (SELECT FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid
            WHERE i.inhparent = parent::regclass AND c.relname = leaf) THEN
        RETURN;
    END IF;
    -- Attached, not created as a partition: ATTACH lets readers and writers of the other partitions go on.
    EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING DEFAULTS INCLUDING STORAGE INCLUDING COMMENTS) WITH (%s)',
        leaf, parent, storage);
    EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', parent, leaf, first_day, next_day);
END $$;
COMMENT ON FUNCTION ensure_partition IS 'Creates and attaches a partition unless it is there';

-- Storage: a dense sketch is 2,563 bytes, just over the limit beyond which values move out of the row; a higher target
-- keeps it inline, where a strip reads a ninth of the pages. The free space lets updates stay on their page (HOT).
CREATE FUNCTION ensure_shard_partition(day date) RETURNS void LANGUAGE sql AS $$
    SELECT ensure_partition('video_heatmap_shards', 'video_heatmap_shards_' || to_char(day, 'YYYYMMDD'), day, day + 1,
        'fillfactor = 70, toast_tuple_target = 4080, autovacuum_vacuum_scale_factor = 0.05');
$$;
COMMENT ON FUNCTION ensure_shard_partition IS 'Makes sure that heartbeats of a day have a partition to go to';
