-- Drops the samples of days that are not kept, and of no other table: the planner may look at the names of all partitions before
-- it looks whose they are, and most have no day at their end. A CASE keeps the order.

CREATE OR REPLACE FUNCTION drop_sample_partitions(kept_from date) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    leaf regclass;
    dropped integer := 0;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('heatstrip partitions'), 0);
    FOR leaf IN
        SELECT i.inhrelid::regclass
        FROM pg_inherits AS i
        JOIN pg_class AS c ON c.oid = i.inhrelid
        WHERE kept_from > CASE WHEN i.inhparent = 'sampled_watches'::regclass THEN to_date(right(c.relname, 8), 'YYYYMMDD') END
        ORDER BY c.relname
    LOOP
        EXECUTE format('DROP TABLE %s', leaf);
        dropped := dropped + 1;
    END LOOP;
    RETURN dropped;
END $$;
