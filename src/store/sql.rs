//! Every statement the engine runs, as it stands in `sql/queries`; line 1 of each file is its name.

macro_rules! statements {
    ($($constant:ident = $file:literal;)*) => {
        $(
            #[doc = concat!("`sql/queries/", $file, ".sql`")]
            pub const $constant: &str =
                include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/sql/queries/", $file, ".sql"));
        )*

        /// All of them with their names, so that a test can prepare each one.
        pub const ALL: &[(&str, &str)] = &[$(($file, $constant)),*];
    };
}

statements! {
    ADVANCE_RETENTION = "advance_retention";
    CLAIM_BATCHES = "claim_batches";
    COMPACT_SECONDS = "compact_seconds";
    COMPACT_WHOLE = "compact_whole";
    CREATE_HLL = "create_hll";
    CUT_SALT_EPOCH = "cut_salt_epoch";
    DELETE_FINE = "delete_fine";
    DELETE_UNKEPT = "delete_unkept";
    DESTROY_SALTS = "destroy_salts";
    DELETE_UNKEPT_BOUNDS = "delete_unkept_bounds";
    DELETE_UNKEPT_COUNTS = "delete_unkept_counts";
    DELETE_UNKEPT_FAILED = "delete_unkept_failed";
    DROP_SHARD_PARTITION = "drop_shard_partition";
    DROP_UNKEPT_PARTITIONS = "drop_unkept_partitions";
    ENQUEUE_LANES = "enqueue_lanes";
    ENSURE_CANONICAL_PARTITION = "ensure_canonical_partition";
    ENSURE_SHARD_PARTITIONS = "ensure_shard_partitions";
    FORGET_QUEUED = "forget_queued";
    FORGET_ROWS = "forget_rows";
    INSERT_BATCH_IDS = "insert_batch_ids";
    INSERT_COUNTS = "insert_counts";
    INSERT_ENGINE = "insert_engine";
    INSERT_FAILED = "insert_failed";
    INSERT_RUNS = "insert_runs";
    LIFT_TIMEOUTS = "lift_timeouts";
    LIMIT_LOCK_WAIT = "limit_lock_wait";
    LOCK_BATCH_IDS = "lock_batch_ids";
    LOCK_COUNTS = "lock_counts";
    LOCK_LANE = "lock_lane";
    LOCK_MIGRATIONS = "lock_migrations";
    OPEN_SALT_EPOCH = "open_salt_epoch";
    PREPARE_BATCH_IDS = "prepare_batch_ids";
    PREPARE_COMPACTION = "prepare_compaction";
    PREPARE_DROP = "prepare_drop";
    PREPARE_FOLD = "prepare_fold";
    PREPARE_NIGHTLY = "prepare_nightly";
    PREPARE_READ = "prepare_read";
    READ_BATCH_IDS = "read_batch_ids";
    READ_BUSY_LANES = "read_busy_lanes";
    READ_CLOSED_EPOCHS = "read_closed_epochs";
    READ_COUNTED_EPOCHS = "read_counted_epochs";
    READ_COUNTS = "read_counts";
    READ_DEAD_SALT_EPOCHS = "read_dead_salt_epochs";
    READ_ENGINE = "read_engine";
    READ_FINE_VIDEOS = "read_fine_videos";
    READ_HLL_VERSION = "read_hll_version";
    READ_PARTITION_FAULTS = "read_partition_faults";
    READ_QUEUE_DEPTH = "read_queue_depth";
    READ_OLDEST_QUEUED = "read_oldest_queued";
    READ_REGIONS = "read_regions";
    READ_RETENTION = "read_retention";
    READ_SALT_EPOCH = "read_salt_epoch";
    READ_SALT_EPOCHS = "read_salt_epochs";
    READ_SALT_HEALTH = "read_salt_health";
    READ_SCHEMA_VERSION = "read_schema_version";
    READ_SERVER = "read_server";
    READ_SET_ASIDE = "read_set_aside";
    READ_SHARD_PARTITIONS = "read_shard_partitions";
    READ_SKETCH_COLUMNS = "read_sketch_columns";
    READ_STRIP = "read_strip";
    READ_UNCOUNTED_VIDEOS = "read_uncounted_videos";
    READ_UNKEPT_VIDEOS = "read_unkept_videos";
    READ_VIDEO_BOUNDS = "read_video_bounds";
    READ_VIDEO_DAYS = "read_video_days";
    READ_VIDEOS = "read_videos";
    RELEASE_SAVEPOINT = "release_savepoint";
    REWRITE_SALT_EPOCHS = "rewrite_salt_epochs";
    ROLLBACK_TO_SAVEPOINT = "rollback_to_savepoint";
    ROTATE_BATCH_IDS = "rotate_batch_ids";
    SAVEPOINT = "savepoint";
    SET_ASIDE_UNREADABLE = "set_aside_unreadable";
    TRY_LOCK_COMPACTION = "try_lock_compaction";
    TRY_LOCK_LANE = "try_lock_lane";
    UNLOCK_MIGRATIONS = "unlock_migrations";
    UPDATE_RUNS = "update_runs";
    UPSERT_WHOLE = "upsert_whole";
    USE_SALT_EPOCH = "use_salt_epoch";
    VACUUM_SALT_EPOCHS = "vacuum_salt_epochs";
}
