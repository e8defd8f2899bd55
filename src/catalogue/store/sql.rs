//! The statements of this folder, as they stand in `sql/queries/catalogue`.

use crate::postgres::sql::statements;

statements! {
    "catalogue":
    DELETE_ENTRY = "delete_entry";
    NEXT_CHANGE = "next_change";
    NEXT_REMOVAL = "next_removal";
    PUT_ENTRIES = "put_entries";
    READ_CHANGED = "read_changed";
    READ_CHANGES = "read_changes";
    READ_CHANNEL = "read_channel";
    READ_CHANNELS = "read_channels";
    READ_DURATIONS = "read_durations";
    READ_ENTRIES = "read_entries";
}
