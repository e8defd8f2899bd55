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
    CREATE_HLL = "create_hll";
    INSERT_ENGINE = "insert_engine";
    LIFT_TIMEOUTS = "lift_timeouts";
    LOCK_MIGRATIONS = "lock_migrations";
    PREPARE_DROP = "prepare_drop";
    READ_DRIFT = "read_drift";
    READ_ENGINE = "read_engine";
    READ_HLL_VERSION = "read_hll_version";
    READ_RETENTION = "read_retention";
    READ_SCHEMA_VERSION = "read_schema_version";
    READ_SKETCH_COLUMNS = "read_sketch_columns";
    RELEASE_SAVEPOINT = "release_savepoint";
    ROLLBACK_TO_SAVEPOINT = "rollback_to_savepoint";
    SAVEPOINT = "savepoint";
    UNLOCK_MIGRATIONS = "unlock_migrations";
    WRITE_DRIFT = "write_drift";
}
