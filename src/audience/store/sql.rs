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
    LOCK_OPEN_WATCHES_DISTRIBUTED = "lock_open_watches_distributed";
    LOCK_WATCH_DISTRIBUTED = "lock_watch_distributed";
    LOCK_WATCHES = "lock_watches";
    LOCK_WATCHES_DISTRIBUTED = "lock_watches_distributed";
    NOTE_DAYS = "note_days";
    PREPARE_AUDIENCE = "prepare_audience";
    PREPARE_AUDIENCE_DISTRIBUTED = "prepare_audience_distributed";
    PREPARE_SEALING = "prepare_sealing";
    READ_OPEN_WATCHES = "read_open_watches";
    READ_SAMPLE_DAYS = "read_sample_days";
    READ_SAMPLE_SETTINGS = "read_sample_settings";
    READ_SEALING = "read_sealing";
    READ_WATCHES = "read_watches";
    SEAL_WATCHES = "seal_watches";
    SEAL_WATCHES_DISTRIBUTED = "seal_watches_distributed";
    WRITE_SAMPLE_SIZE = "write_sample_size";
}
