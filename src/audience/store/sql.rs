//! The statements of this folder, as they stand in `sql/queries/audience`.

use crate::postgres::sql::statements;

statements! {
    "audience":
    ADVANCE_SAMPLE = "advance_sample";
    ADVANCE_SEALING = "advance_sealing";
    APPEND_WATCHES = "append_watches";
    DROP_SAMPLE_PARTITION = "drop_sample_partition";
    ENSURE_SAMPLE_PARTITIONS = "ensure_sample_partitions";
    FORGET_WATCHES = "forget_watches";
    LOCK_OPEN_WATCHES = "lock_open_watches";
    LOCK_WATCHES = "lock_watches";
    NOTE_DAYS = "note_days";
    PREPARE_AUDIENCE = "prepare_audience";
    PREPARE_SEALING = "prepare_sealing";
    READ_SAMPLE_DAYS = "read_sample_days";
    READ_SAMPLE_SETTINGS = "read_sample_settings";
    READ_SEALING = "read_sealing";
    READ_WATCHES = "read_watches";
    SEAL_WATCHES = "seal_watches";
    WRITE_SAMPLE_SIZE = "write_sample_size";
}
