//! The statements of this folder, as they stand in `sql/queries/ledger`.

use crate::postgres::sql::statements;

statements! {
    "ledger":
    ADD_TO_LEDGER = "add_to_ledger";
    DELETE_UNKEPT_LEDGER = "delete_unkept_ledger";
    FORGET_LEDGER = "forget_ledger";
    READ_COMPACTED_VIDEOS = "read_compacted_videos";
    READ_GROWN_VIDEOS = "read_grown_videos";
    READ_KNOWN_VIDEOS = "read_known_videos";
    READ_LEDGER = "read_ledger";
}
