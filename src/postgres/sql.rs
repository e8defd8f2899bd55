//! The statements of this folder, as they stand in `sql/queries/postgres`, and the macro by which every folder lists its own.

/// Makes a constant of each named file of a folder in `sql/queries`; line 1 of each file is its name.
macro_rules! statements {
    ($folder:literal: $($constant:ident = $file:literal;)*) => {
        $(
            #[doc = concat!("`sql/queries/", $folder, "/", $file, ".sql`")]
            pub const $constant: &str = include_str!(concat!(
                env!("CARGO_MANIFEST_DIR"), "/sql/queries/", $folder, "/", $file, ".sql"
            ));
        )*
    };
}
pub(crate) use statements;

statements! {
    "postgres":
    ADVANCE_RETENTION = "advance_retention";
    ADVANCE_THINNED = "advance_thinned";
    BEGIN = "begin";
    CITUS_COUNT_SESSIONS = "citus_count_sessions";
    CITUS_DISTRIBUTE = "citus_distribute";
    CITUS_DISTRIBUTE_FIRST = "citus_distribute_first";
    CITUS_READ_DAEMON = "citus_read_daemon";
    CITUS_READ_GROUP = "citus_read_group";
    CITUS_READ_NODES = "citus_read_nodes";
    CITUS_READ_PREPARED = "citus_read_prepared";
    CITUS_READ_SECOND_SHARDS = "citus_read_second_shards";
    CITUS_READ_SIZE = "citus_read_size";
    CITUS_READ_UNDISTRIBUTED = "citus_read_undistributed";
    CITUS_READ_VERSION = "citus_read_version";
    CITUS_TRUNCATE_LOCAL = "citus_truncate_local";
    COMMIT_IN_TWO_PHASES = "commit_in_two_phases";
    CREATE_HISTORY = "create_history";
    CREATE_HLL = "create_hll";
    INSERT_ENGINE = "insert_engine";
    LIFT_TIMEOUTS = "lift_timeouts";
    LIMIT_DROP_WAIT = "limit_drop_wait";
    LIMIT_MIGRATION_WAIT = "limit_migration_wait";
    LOCK_MIGRATIONS = "lock_migrations";
    PREPARE_SESSION = "prepare_session";
    READ_BACKEND = "read_backend";
    READ_CLOCK = "read_clock";
    READ_DEFAULT_REGION = "read_default_region";
    READ_DRIFT = "read_drift";
    READ_ENGINE = "read_engine";
    READ_HISTORY = "read_history";
    READ_HLL_VERSION = "read_hll_version";
    READ_NIGHTS = "read_nights";
    READ_RETENTION = "read_retention";
    READ_SKETCH_COLUMNS = "read_sketch_columns";
    READ_TABLE_USERS = "read_table_users";
    READ_THINNED = "read_thinned";
    READ_WRITABLE = "read_writable";
    RELEASE_SAVEPOINT = "release_savepoint";
    ROLLBACK_TO_SAVEPOINT = "rollback_to_savepoint";
    SAVEPOINT = "savepoint";
    UNLOCK_MIGRATIONS = "unlock_migrations";
    WRITE_DEFAULT_REGION = "write_default_region";
    WRITE_DISTRIBUTED = "write_distributed";
    WRITE_DRIFT = "write_drift";
    WRITE_HISTORY = "write_history";
    WRITE_NIGHT = "write_night";
}
