//! The statements of this folder, as they stand in `sql/queries/queue`.

use crate::postgres::sql::statements;

statements! {
    "queue":
    CLAIM_BATCHES = "claim_batches";
    CLAIM_ROW = "claim_row";
    DELETE_ROW = "delete_row";
    DELETE_UNKEPT_FAILED = "delete_unkept_failed";
    ENQUEUE_LANES = "enqueue_lanes";
    FORGET_FAILED = "forget_failed";
    INSERT_BATCH_IDS = "insert_batch_ids";
    INSERT_FAILED = "insert_failed";
    LOCK_BATCH_IDS = "lock_batch_ids";
    LOCK_LANE = "lock_lane";
    LOCK_OLDEST_ROW = "lock_oldest_row";
    PREPARE_BATCH_IDS = "prepare_batch_ids";
    READ_BATCH_IDS = "read_batch_ids";
    READ_BUSY_LANES = "read_busy_lanes";
    READ_LANE = "read_lane";
    READ_OLDEST_QUEUED = "read_oldest_queued";
    READ_QUEUE_DEPTH = "read_queue_depth";
    REWRITE_ROW = "rewrite_row";
    ROTATE_BATCH_IDS = "rotate_batch_ids";
    SET_ASIDE_UNREADABLE = "set_aside_unreadable";
    TRY_LOCK_LANE = "try_lock_lane";
}
