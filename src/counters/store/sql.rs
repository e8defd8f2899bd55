//! The statements of this folder, as they stand in `sql/queries/counters`.

use crate::postgres::sql::statements;

statements! {
    "counters":
    ADD_ERASED = "add_erased";
    ADD_TO_TOTALS = "add_to_totals";
    ADVANCE_PACKED_SEQ = "advance_packed_seq";
    BEGIN_ERASURE = "begin_erasure";
    DELETE_BLOCK = "delete_block";
    DELETE_MARKS = "delete_marks";
    DELETE_PACKED_EVENTS = "delete_packed_events";
    DEQUEUE_PACKABLE = "dequeue_packable";
    EMPTY_IDS = "empty_ids";
    END_ERASURE = "end_erasure";
    ERASE_EVENTS = "erase_events";
    ERASE_MARKS = "erase_marks";
    FORGET_ERASURES = "forget_erasures";
    HEAL_COUNTERS = "heal_counters";
    INSERT_BLOCKS = "insert_blocks";
    INSERT_COUNTERS = "insert_counters";
    INSERT_EVENTS = "insert_events";
    INSERT_KIND = "insert_kind";
    INSERT_MARKS = "insert_marks";
    INSERT_MEMBERS = "insert_members";
    INSERT_OBJECTS = "insert_objects";
    LOCK_COUNTERS = "lock_counters";
    LOCK_COUNTERS_BY_NUMBER = "lock_counters_by_number";
    LOCK_ERASURE = "lock_erasure";
    LOCK_MEMBERS = "lock_members";
    PREPARE_EXPORT = "prepare_export";
    PREPARE_NAMES = "prepare_names";
    PREPARE_PIECES = "prepare_pieces";
    PREPARE_READS = "prepare_reads";
    PREPARE_WRITE = "prepare_write";
    QUEUE_PACKABLE = "queue_packable";
    READ_BLOCKS_OF_COUNTERS = "read_blocks_of_counters";
    READ_BLOCKS_OF_MEMBER = "read_blocks_of_member";
    READ_CLOSED_EVENTS = "read_closed_events";
    READ_COUNTER_SUMS = "read_counter_sums";
    READ_DID = "read_did";
    READ_DID_PACKED = "read_did_packed";
    READ_DONE_BLOCKS = "read_done_blocks";
    READ_DONE_EVENTS = "read_done_events";
    READ_DONE_MARKS = "read_done_marks";
    READ_ERASABLE = "read_erasable";
    READ_ERASURES = "read_erasures";
    READ_EXPORTED_COUNTERS = "read_exported_counters";
    READ_EXPORTED_ROWS = "read_exported_rows";
    READ_IDS = "read_ids";
    READ_KINDS = "read_kinds";
    READ_MARKS = "read_marks";
    READ_MEMBER = "read_member";
    READ_MEMBER_NAMES = "read_member_names";
    READ_NEWEST_BLOCKS = "read_newest_blocks";
    READ_NEWEST_EVENTS = "read_newest_events";
    READ_NEWEST_MARKS = "read_newest_marks";
    READ_PACKABLE = "read_packable";
    READ_SUMS_OF_COUNTERS = "read_sums_of_counters";
    READ_TOTALS = "read_totals";
    REMEMBER_IDS = "remember_ids";
    SET_STARTING = "set_starting";
    UPDATE_BLOCK = "update_block";
    UPDATE_COUNTERS = "update_counters";
}
