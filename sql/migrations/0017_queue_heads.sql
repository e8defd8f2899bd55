-- The intake and the queue beside a reader with an old snapshot: a dump, or an analyst.

-- While somebody holds an old snapshot, folded rows stay in the table and in its index, dead. Whoever looks for the oldest
-- row of a lane from the beginning passes over all of them, for every step. So it is remembered from where on a lane can have
-- rows at all.
CREATE TABLE heartbeat_queue_heads (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    heads bigint[] NOT NULL,
    noted_id bigint,
    asked_id bigint,
    asked_xid bigint
)
-- Written every few seconds: its versions find room on their page.
WITH (fillfactor = 10);
COMMENT ON TABLE heartbeat_queue_heads IS 'From which row on a lane can have rows at all, so that nobody walks over dead ones while an old snapshot keeps them; one row';
COMMENT ON COLUMN heartbeat_queue_heads.only_row IS 'Keeps the table to one row';
COMMENT ON COLUMN heartbeat_queue_heads.heads IS 'By lane, beginning with lane 0: no row before this id is there, or will ever be';
COMMENT ON COLUMN heartbeat_queue_heads.noted_id IS 'The last id that was given out when the heads were last advanced';
COMMENT ON COLUMN heartbeat_queue_heads.asked_id IS 'An id up to which all rows are visible once no transaction before asked_xid is running any more';
COMMENT ON COLUMN heartbeat_queue_heads.asked_xid IS 'A transaction that began after asked_id was noted';
INSERT INTO heartbeat_queue_heads (heads) VALUES ('{}');

-- Rows become visible in another order than that of their ids, so the oldest visible one is no bound by itself. It is one once
-- every transaction that had an id up to then has ended. Such a transaction has its own number before its first id, see
-- enqueue_lanes, so it is enough that no transaction with a number below one that was given out later is running.
CREATE FUNCTION advance_queue_heads(lanes integer, from_the_start boolean) RETURNS boolean
LANGUAGE plpgsql SET enable_seqscan = off SET enable_bitmapscan = off AS $$
DECLARE
    known heartbeat_queue_heads;
    own_xid bigint;
    advanced boolean := false;
BEGIN
    -- Whoever finds another at it has nothing to do. The lock gives this transaction its number.
    SELECT * INTO known FROM heartbeat_queue_heads FOR UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    own_xid := pg_current_xact_id()::text::bigint;
    IF known.asked_xid > own_xid THEN
        -- Restored from another server, whose transactions have other numbers.
        known.noted_id := NULL;
        known.asked_xid := NULL;
    END IF;
    IF pg_snapshot_xmin(pg_current_snapshot())::text::bigint >= known.asked_xid THEN
        known.heads := ARRAY(
            SELECT least(known.asked_id + 1, (
                SELECT q.id FROM heartbeat_queue AS q
                WHERE q.lane = l.lane
                    AND q.id >= CASE WHEN from_the_start THEN 0 ELSE coalesce(known.heads[l.lane + 1], 0) END
                ORDER BY q.id
                LIMIT 1
            ))
            FROM generate_series(0, lanes - 1) AS l (lane)
            ORDER BY l.lane
        );
        known.asked_xid := NULL;
        advanced := true;
    END IF;
    IF known.asked_xid IS NULL AND known.noted_id IS NOT NULL THEN
        -- Noted by an earlier transaction: whoever had such an id then has a lower number than this one.
        known.asked_id := known.noted_id;
        known.asked_xid := own_xid;
    END IF;
    known.noted_id := (SELECT last_value FROM heartbeat_queue_id_seq);
    UPDATE heartbeat_queue_heads
    SET heads = known.heads, noted_id = known.noted_id, asked_id = known.asked_id, asked_xid = known.asked_xid;
    RETURN advanced;
END $$;
COMMENT ON FUNCTION advance_queue_heads IS 'Moves the heads of the lanes on, as far as no row can appear before them any more; called every few seconds. From the start: looks at all rows, dead ones too';

-- The slot that comes next is emptied before the lock is asked for that commits hold: whoever dumps it is waited for while no
-- commit waits. A transaction that accepts batches names only the current and the previous slot. A clock that went back does
-- not keep the ring from turning.
CREATE OR REPLACE FUNCTION rotate_batch_ids(which text, keep interval, at timestamptz) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    due batch_id_rings;
    next smallint;
    full_one boolean;
BEGIN
    -- Others who turn the ring wait here; commits only read the row.
    SELECT * INTO due FROM batch_id_rings
    WHERE ring = which AND (rotated_at <= at - keep OR rotated_at > at + keep)
    FOR UPDATE;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    IF due.rotated_at > at THEN
        UPDATE batch_id_rings SET rotated_at = at WHERE ring = which;
        RETURN false;
    END IF;
    next := (due.position + 1) % 3;
    EXECUTE format('SELECT EXISTS (SELECT FROM batch_ids_%s)', due.first_slot + next) INTO full_one;
    IF full_one THEN
        EXECUTE format('TRUNCATE batch_ids_%s', due.first_slot + next);
    END IF;
    -- Whoever accepts batches holds this lock shared until it commits: the current slot is the same for all of them.
    PERFORM pg_advisory_xact_lock(hashtext('heatstrip batch ids'), due.first_slot);
    UPDATE batch_id_rings SET position = next, rotated_at = at WHERE ring = which;
    RETURN true;
END $$;
