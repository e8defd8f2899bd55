-- Counters: who x object x kind x +-1, with totals that change in the transaction of their records.
--
-- Names stand in dictionaries, once each; records hold numbers of 64 bits. A counter is one kind of one object: its row
-- holds the total, and locking it orders all that happens to it.

CREATE TABLE counter_kinds (
    kind smallint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text COLLATE "C" NOT NULL UNIQUE CHECK (name ~ '^[a-z][a-z0-9_]{0,63}$'),
    mode text NOT NULL CHECK (mode IN ('set', 'count', 'signed'))
);
COMMENT ON TABLE counter_kinds IS 'What is counted: kinds are added, never removed, and keep their mode';
COMMENT ON COLUMN counter_kinds.kind IS 'Number of the kind';
COMMENT ON COLUMN counter_kinds.name IS 'Name of the kind, as it stands in requests';
COMMENT ON COLUMN counter_kinds.mode IS 'set: on or off a member; count: repeatable, 1 or -1; signed: repeatable, a bounded delta';
INSERT INTO counter_kinds (name, mode) VALUES
    ('praise', 'set'), ('like', 'set'), ('comment', 'count'), ('view', 'count'), ('read', 'count'),
    ('forward', 'count'), ('share', 'count'), ('down', 'set'), ('report', 'set'), ('buy', 'count'),
    ('sale', 'count'), ('taste', 'count'), ('favourite', 'set');

CREATE TABLE counter_members (
    member bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    member_id text COLLATE "C" UNIQUE
);
COMMENT ON TABLE counter_members IS 'Who counted something, by name: who asks, asks by name';
COMMENT ON COLUMN counter_members.member IS 'Number of the member in the records; never given to anybody else';
COMMENT ON COLUMN counter_members.member_id IS 'The id that requests name; NULL while the member is being erased';

CREATE TABLE counter_erasures (
    member bigint PRIMARY KEY,
    name_key uuid NOT NULL,
    records bigint NOT NULL DEFAULT 0,
    ended_at timestamptz
);
CREATE INDEX counter_erasures_name_key ON counter_erasures (name_key);
COMMENT ON TABLE counter_erasures IS 'Members whose records are being removed, in pieces; rows of ended erasures stay for a day';
COMMENT ON COLUMN counter_erasures.member IS 'Number of the member';
COMMENT ON COLUMN counter_erasures.name_key IS 'BLAKE2b-128 of the id, so that whoever asks again goes on with the same erasure';
COMMENT ON COLUMN counter_erasures.records IS 'Records removed so far';
COMMENT ON COLUMN counter_erasures.ended_at IS 'When nothing was left; NULL while there may be more';

CREATE TABLE counter_objects (
    object bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    object_type text COLLATE "C" NOT NULL,
    object_id text COLLATE "C" NOT NULL,
    UNIQUE (object_type, object_id)
);
COMMENT ON TABLE counter_objects IS 'What was counted on, by name';
COMMENT ON COLUMN counter_objects.object IS 'Number of the object';
COMMENT ON COLUMN counter_objects.object_type IS 'What sort of thing it is: video, comment, product';
COMMENT ON COLUMN counter_objects.object_id IS 'Its id among those of its type';

CREATE TABLE counters (
    counter bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    object bigint NOT NULL,
    kind smallint NOT NULL,
    total bigint NOT NULL DEFAULT 0,
    starting bigint NOT NULL DEFAULT 0,
    last_seq bigint NOT NULL DEFAULT 0,
    packed_seq bigint NOT NULL DEFAULT 0,
    UNIQUE (object, kind)
)
-- A total is updated in place as long as its page has room, which leaves the indexes alone.
WITH (fillfactor = 60, autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0);
COMMENT ON TABLE counters IS 'One kind of one object: the only place of its total. Every writer locks these rows first, sorted by counter';
COMMENT ON COLUMN counters.counter IS 'Number of the counter in the records';
COMMENT ON COLUMN counters.object IS 'Object';
COMMENT ON COLUMN counters.kind IS 'Kind';
COMMENT ON COLUMN counters.total IS 'The total: starting, and the deltas of all records';
COMMENT ON COLUMN counters.starting IS 'What was counted before there were records, as imported';
COMMENT ON COLUMN counters.last_seq IS 'The highest seq given to a record';
COMMENT ON COLUMN counters.packed_seq IS 'Through which seq records stand in blocks';

-- Widths come first where they are equal, so that no row is padded: 56 bytes and a line pointer each.
CREATE TABLE counter_marks (
    counter bigint NOT NULL,
    seq bigint NOT NULL,
    member bigint NOT NULL,
    at timestamptz NOT NULL,
    PRIMARY KEY (counter, seq)
)
WITH (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_insert_scale_factor = 0.02,
      autovacuum_analyze_scale_factor = 0.05);
CREATE UNIQUE INDEX counter_marks_member ON counter_marks (counter, member);
CREATE INDEX counter_marks_at ON counter_marks (member, at);
COMMENT ON TABLE counter_marks IS 'Records of the kinds of mode set: a row is a member who is on';
COMMENT ON COLUMN counter_marks.counter IS 'Counter';
COMMENT ON COLUMN counter_marks.seq IS 'Place in the counter''s own order';
COMMENT ON COLUMN counter_marks.member IS 'Who';
COMMENT ON COLUMN counter_marks.at IS 'When, in whole milliseconds';

CREATE TABLE counter_events (
    counter bigint NOT NULL,
    seq bigint NOT NULL,
    member bigint NOT NULL,
    at timestamptz NOT NULL,
    delta integer NOT NULL,
    PRIMARY KEY (counter, seq)
)
WITH (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_insert_scale_factor = 0.02,
      autovacuum_analyze_scale_factor = 0.05);
CREATE INDEX counter_events_member ON counter_events (counter, member);
CREATE INDEX counter_events_at ON counter_events (member, at);
COMMENT ON TABLE counter_events IS 'Records of the kinds of modes count and signed that are in no block';
COMMENT ON COLUMN counter_events.counter IS 'Counter';
COMMENT ON COLUMN counter_events.seq IS 'Place in the counter''s own order';
COMMENT ON COLUMN counter_events.member IS 'Who';
COMMENT ON COLUMN counter_events.at IS 'When, in whole milliseconds';
COMMENT ON COLUMN counter_events.delta IS 'By how much the total changed';

CREATE TABLE counter_blocks (
    counter bigint NOT NULL,
    first_seq bigint NOT NULL,
    first_at timestamptz NOT NULL,
    last_at timestamptz NOT NULL,
    members bigint[] NOT NULL,
    times bytea NOT NULL,
    PRIMARY KEY (counter, first_seq)
)
WITH (fillfactor = 100, autovacuum_vacuum_insert_scale_factor = 0.05);
-- Blocks come by night and in thousands: nobody who reads by day should have to look through a list of pending ones.
CREATE INDEX counter_blocks_members ON counter_blocks USING gin (members) WITH (fastupdate = off);
COMMENT ON TABLE counter_blocks IS 'Closed stretches of records of the kinds of mode count, up to 128 a row';
COMMENT ON COLUMN counter_blocks.counter IS 'Counter';
COMMENT ON COLUMN counter_blocks.first_seq IS 'The seq of the first record; those of the others follow it without a gap';
COMMENT ON COLUMN counter_blocks.first_at IS 'The earliest time of a record';
COMMENT ON COLUMN counter_blocks.last_at IS 'The latest time of a record';
COMMENT ON COLUMN counter_blocks.members IS 'Who, a record each; 0 where a record was erased';
COMMENT ON COLUMN counter_blocks.times IS 'When and in which direction, a record each: steps of milliseconds, docs/counters.md has the bits';

CREATE TABLE counter_pack_queue (
    counter bigint PRIMARY KEY
);
COMMENT ON TABLE counter_pack_queue IS 'Counters with enough records outside of blocks: what the night looks at, however many counters there are';
COMMENT ON COLUMN counter_pack_queue.counter IS 'Counter';

-- The ids of elements, by week, in tables of their own: whoever writes touches this week's and the last one's, and the
-- third is emptied meanwhile. The week is that of the server's clock alone.
CREATE TABLE counter_ids_0 (
    id uuid PRIMARY KEY,
    content bigint NOT NULL,
    seq bigint NOT NULL
);
CREATE TABLE counter_ids_1 (LIKE counter_ids_0 INCLUDING ALL);
CREATE TABLE counter_ids_2 (LIKE counter_ids_0 INCLUDING ALL);
DO $$
DECLARE
    slot integer;
BEGIN
    FOR slot IN 0..2 LOOP
        EXECUTE format('COMMENT ON TABLE counter_ids_%s IS %L', slot, 'Ids of elements, of every third week: remembered for 7 days at least, emptied in whole');
        EXECUTE format('COMMENT ON COLUMN counter_ids_%s.id IS %L', slot, 'BLAKE2b-128 of the id');
        EXECUTE format('COMMENT ON COLUMN counter_ids_%s.content IS %L', slot, 'BLAKE2b-64 of the id and of what came with it');
        EXECUTE format('COMMENT ON COLUMN counter_ids_%s.seq IS %L', slot, 'The seq it was answered with; 0 for none');
    END LOOP;
END $$;

CREATE FUNCTION counter_ids_slot(at timestamptz) RETURNS integer
LANGUAGE sql IMMUTABLE AS $$ SELECT (floor(extract(epoch FROM at) / 604800)::bigint % 3)::integer $$;
COMMENT ON FUNCTION counter_ids_slot IS 'Which of the three tables of ids an instant''s week writes to';

CREATE FUNCTION read_counter_ids(asked uuid[]) RETURNS TABLE (id uuid, content bigint, seq bigint)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    -- The time of this call, not of the transaction's begin: it may have waited for somebody who wrote meanwhile.
    at CONSTANT timestamptz := clock_timestamp();
    -- Around the turn of a week a clock that is set back must not make anybody forget.
    turning CONSTANT boolean := counter_ids_slot(at - interval '1 hour') <> counter_ids_slot(at + interval '1 hour');
    unused CONSTANT integer := CASE WHEN NOT turning THEN (counter_ids_slot(at) + 1) % 3 ELSE -1 END;
BEGIN
    IF unused <> 0 THEN
        RETURN QUERY SELECT id, content, seq FROM counter_ids_0 WHERE id = ANY (asked);
    END IF;
    IF unused <> 1 THEN
        RETURN QUERY SELECT id, content, seq FROM counter_ids_1 WHERE id = ANY (asked);
    END IF;
    IF unused <> 2 THEN
        RETURN QUERY SELECT id, content, seq FROM counter_ids_2 WHERE id = ANY (asked);
    END IF;
END $$;
COMMENT ON FUNCTION read_counter_ids IS 'Those of the ids that are remembered from this week or the last';

CREATE FUNCTION remember_counter_ids(ids uuid[], contents bigint[], seqs bigint[]) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    -- Sorted, so that two transactions with the same ids do not wait for each other in a circle. An id that somebody else
    -- has just committed is a violation: the transaction starts again and finds it.
    CASE counter_ids_slot(clock_timestamp())
        WHEN 0 THEN
            INSERT INTO counter_ids_0 SELECT * FROM unnest(ids, contents, seqs) AS n (id, content, seq) ORDER BY n.id;
        WHEN 1 THEN
            INSERT INTO counter_ids_1 SELECT * FROM unnest(ids, contents, seqs) AS n (id, content, seq) ORDER BY n.id;
        ELSE
            INSERT INTO counter_ids_2 SELECT * FROM unnest(ids, contents, seqs) AS n (id, content, seq) ORDER BY n.id;
    END CASE;
END $$;
COMMENT ON FUNCTION remember_counter_ids IS 'Remembers ids in the table of this week';

CREATE FUNCTION empty_counter_ids() RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    unused CONSTANT integer := (counter_ids_slot(now()) + 1) % 3;
    full_one boolean;
BEGIN
    -- A transaction that began in the week before may still write to that week's table, never to the one before it. A day
    -- is longer than any transaction lasts, and than any clock is off.
    IF counter_ids_slot(now() - interval '1 day') <> counter_ids_slot(now()) THEN
        RETURN false;
    END IF;
    EXECUTE format('SELECT EXISTS (SELECT FROM counter_ids_%s)', unused) INTO full_one;
    IF full_one THEN
        EXECUTE format('TRUNCATE counter_ids_%s', unused);
    END IF;
    RETURN full_one;
END $$;
COMMENT ON FUNCTION empty_counter_ids IS 'Empties the table of ids that nobody looks into this week; false if there was nothing to empty';

CREATE TABLE drift (
    name text PRIMARY KEY,
    found bigint NOT NULL,
    checked_at timestamptz NOT NULL
);
COMMENT ON TABLE drift IS 'What the last reconciliation found: totals that did not equal their records';
COMMENT ON COLUMN drift.name IS 'What was compared: counters';
COMMENT ON COLUMN drift.found IS 'How many totals had drifted, before they were healed';
COMMENT ON COLUMN drift.checked_at IS 'When they were compared';
