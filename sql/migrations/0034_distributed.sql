-- Beyond one server: Citus may spread the tables that lead with a video over several. Whether it does is decided once, and every
-- process reads it when it starts, because some statements have another form then.

ALTER TABLE engine ADD COLUMN distributed boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN engine.distributed IS 'True once `heatstrip migrate --citus` was asked to distribute the tables that lead with a video; never false again';

CREATE OR REPLACE FUNCTION ensure_partition(parent text, leaf text, first_day date, next_day date, storage text) RETURNS void
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
    -- Where Citus distributes the parent: over one connection a node. Over several, the one that attaches a shard waits for the
    -- one that made it, for ever. Without Citus the name means nothing.
    PERFORM set_config('citus.multi_shard_modify_mode', 'sequential', true);
    -- Attached, not created as a partition: ATTACH lets readers and writers of the other partitions go on.
    EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING DEFAULTS INCLUDING STORAGE INCLUDING COMMENTS) WITH (%s)',
        leaf, parent, storage);
    EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', parent, leaf, first_day, next_day);
END $$;
