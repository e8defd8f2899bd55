//! The statements of this folder, as they stand in `sql/queries/views`.

use crate::postgres::sql::statements;

statements! {
    "views":
    ADD_TRENDING = "add_trending";
    ADVANCE_RECENT_FROM = "advance_recent_from";
    ARCHIVE_TOTALS = "archive_totals";
    DELETE_BINDINGS = "delete_bindings";
    DELETE_FADED = "delete_faded";
    DELETE_RECENTS = "delete_recents";
    DELETE_UNKEPT_VIEW_DAYS = "delete_unkept_view_days";
    DELETE_VIEW_DAY = "delete_view_day";
    DELETE_VIEW_EPOCH = "delete_view_epoch";
    DELETE_VIEW_MONTH = "delete_view_month";
    EMPTY_TRENDING = "empty_trending";
    FORGET_RECENTS = "forget_recents";
    FORGET_RECENTS_OF_DAY = "forget_recents_of_day";
    FORGET_TRENDING = "forget_trending";
    FORGET_VIEWS = "forget_views";
    HEAL_TOTALS = "heal_totals";
    INSERT_RECENTS = "insert_recents";
    INSERT_TOTALS = "insert_totals";
    LOCK_HALF_LIVES = "lock_half_lives";
    LOCK_HASHES = "lock_hashes";
    LOCK_MERGES = "lock_merges";
    LOCK_RECENTS = "lock_recents";
    LOCK_TOTALS = "lock_totals";
    MERGE_TOTALS = "merge_totals";
    PEEK_FADED = "peek_faded";
    PREPARE_VIEWS = "prepare_views";
    PREPARE_VIEW_PIECES = "prepare_view_pieces";
    PREPARE_VIEW_READS = "prepare_view_reads";
    READ_ARCHIVABLE = "read_archivable";
    READ_BINDINGS = "read_bindings";
    READ_BINDING_EPOCH = "read_binding_epoch";
    READ_DAYS = "read_days";
    READ_DAYS_OF_EPOCH = "read_days_of_epoch";
    READ_DEVICE_VIDEOS = "read_device_videos";
    READ_EPOCHS = "read_epochs";
    READ_EPOCHS_OF_VIDEOS = "read_epochs_of_videos";
    READ_HALF_LIVES = "read_half_lives";
    READ_HOT = "read_hot";
    READ_MONTHS = "read_months";
    READ_PIECES = "read_pieces";
    READ_RECENT_FROM = "read_recent_from";
    READ_RULE = "read_rule";
    READ_SUMS_OF_VIDEOS = "read_sums_of_videos";
    READ_TOP = "read_top";
    READ_UNKEPT_VIEW_DAYS = "read_unkept_view_days";
    READ_UNMERGED = "read_unmerged";
    READ_VIEW_DAYS = "read_view_days";
    READ_VIEWS_BY_DAY = "read_views_by_day";
    READ_VIEW_SUMS = "read_view_sums";
    READ_VIEW_TOTALS = "read_view_totals";
    SET_MERGED = "set_merged";
    SET_STARTING_VIEWS = "set_starting_views";
    SHARE_HASH = "share_hash";
    SHARE_MERGES = "share_merges";
    UPDATE_RECENTS = "update_recents";
    UPDATE_TOTALS = "update_totals";
    WRITE_BINDINGS = "write_bindings";
    WRITE_DAYS = "write_days";
    WRITE_EPOCHS = "write_epochs";
    WRITE_HALF_LIVES = "write_half_lives";
    WRITE_MONTHS = "write_months";
    WRITE_RULE = "write_rule";
}
