//! The statements of this folder, as they stand in `sql/queries/queue`.

use crate::postgres::sql::statements;

statements! {
    "queue":
    ADVANCE_HEADS = "advance_heads";
    CLAIM_BATCHES = "claim_batches";
    CLAIM_ROW = "claim_row";
    CUT_FAILED = "cut_failed";
    DELETE_ROW = "delete_row";
    DELETE_UNKEPT_FAILED = "delete_unkept_failed";
    DELETE_UNREADABLE = "delete_unreadable";
    ENQUEUE_LANES = "enqueue_lanes";
    FORGET_FAILED = "forget_failed";
    INSERT_BATCH_IDS = "insert_batch_ids";
    INSERT_FAILED = "insert_failed";
    INSERT_UNREADABLE = "insert_unreadable";
    LOCK_LANE = "lock_lane";
    LOCK_OLDEST_ROW = "lock_oldest_row";
    PREPARE_HTTP_IDS = "prepare_http_ids";
    PREPARE_IDS = "prepare_ids";
    PREPARE_QUEUE = "prepare_queue";
    PREPARE_REPLAY_IDS = "prepare_replay_ids";
    PREPARE_TURN = "prepare_turn";
    READ_BATCH_IDS = "read_batch_ids";
    READ_BUSY_LANES = "read_busy_lanes";
    READ_LANE = "read_lane";
    READ_OLDEST_QUEUED = "read_oldest_queued";
    READ_QUEUE_DEPTH = "read_queue_depth";
    READ_SLOTS = "read_slots";
    REWRITE_ROW = "rewrite_row";
    ROTATE_BATCH_IDS = "rotate_batch_ids";
    SET_ASIDE_UNREADABLE = "set_aside_unreadable";
    STREAM_ADVANCE_IDLE = "stream_advance_idle";
    STREAM_ADVANCE_LANE = "stream_advance_lane";
    STREAM_FORGET = "stream_forget";
    STREAM_INSERT_REPEATS = "stream_insert_repeats";
    STREAM_LOCK = "stream_lock";
    STREAM_LOCK_LANE = "stream_lock_lane";
    STREAM_PASSED = "stream_passed";
    STREAM_PREPARE_PASSED = "stream_prepare_passed";
    STREAM_READ = "stream_read";
    STREAM_READ_FORGOTTEN = "stream_read_forgotten";
    STREAM_READ_REPEATS = "stream_read_repeats";
    STREAM_REGISTER = "stream_register";
    STREAM_TAKE = "stream_take";
    STREAM_TAKE_LANES = "stream_take_lanes";
    TRY_LOCK_LANE = "try_lock_lane";
}
