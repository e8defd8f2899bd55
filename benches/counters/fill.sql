-- Records as the product writes them, in the order of time, with all indexes in place.
-- Variables of psql: records (how many to reach), objects, members.
-- A tenth of the objects has half of the records; kinds are like (set) and view (count), half each.
SELECT set_config('fill.records', :'records', false), set_config('fill.objects', :'objects', false),
    set_config('fill.members', :'members', false);
INSERT INTO counter_objects (object_type, object_id)
SELECT 'video', 'o' || n FROM generate_series(1, :objects) n ON CONFLICT DO NOTHING;
INSERT INTO counter_members (member_id)
SELECT 'm' || n FROM generate_series(1, :members) n ON CONFLICT DO NOTHING;
INSERT INTO counters (object, kind)
SELECT object, kind FROM counter_objects, (VALUES (2), (4)) k (kind) ORDER BY 1, 2 ON CONFLICT DO NOTHING;
DO $$
DECLARE
    wanted CONSTANT bigint := current_setting('fill.records');
    objects CONSTANT bigint := current_setting('fill.objects');
    members CONSTANT bigint := current_setting('fill.members');
    first_object CONSTANT bigint := (SELECT min(object) FROM counter_objects);
    first_member CONSTANT bigint := (SELECT min(member) FROM counter_members);
    filled bigint := (SELECT sum(last_seq) FROM counters);
    written bigint;
BEGIN
    WHILE filled < wanted LOOP
        CREATE TEMP TABLE chosen ON COMMIT DROP AS
        SELECT c.counter, c.kind, d.member, c.last_seq, d.n
        FROM (
            SELECT n, first_member + floor(random() * members)::bigint AS member, 2 + 2 * (n % 2) AS kind,
                first_object + floor(objects * CASE WHEN random() < 0.5 THEN random() / 10 ELSE random() END)::bigint AS object
            FROM generate_series(1, 100000) n
        ) AS d
        JOIN counters AS c ON c.object = d.object AND c.kind = d.kind;
        -- A member is on once.
        DELETE FROM chosen AS d USING counter_marks AS m
        WHERE d.kind = 2 AND m.counter = d.counter AND m.member = d.member;
        DELETE FROM chosen AS d USING chosen AS e
        WHERE d.kind = 2 AND e.kind = 2 AND e.counter = d.counter AND e.member = d.member AND e.n < d.n;
        CREATE TEMP TABLE numbered ON COMMIT DROP AS
        SELECT counter, kind, member, last_seq + row_number() OVER (PARTITION BY counter ORDER BY n) AS seq,
            date_trunc('milliseconds', now() - interval '2 days') + filled * interval '1 ms' + n * interval '1 ms' AS at, n
        FROM chosen;
        INSERT INTO counter_marks SELECT counter, seq, member, at FROM numbered WHERE kind = 2 ORDER BY n;
        INSERT INTO counter_events SELECT counter, seq, member, at, 1 FROM numbered WHERE kind = 4 ORDER BY n;
        UPDATE counters AS c SET total = total + s.records, last_seq = c.last_seq + s.records
        FROM (SELECT counter, count(*) AS records FROM numbered GROUP BY counter) AS s WHERE c.counter = s.counter;
        SELECT count(*) INTO written FROM numbered;
        filled := filled + written;
        COMMIT;
    END LOOP;
END $$;
INSERT INTO counter_pack_queue
SELECT counter FROM counters WHERE kind = 4 AND last_seq - packed_seq >= 16 ORDER BY counter ON CONFLICT DO NOTHING;
