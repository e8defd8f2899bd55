//! The statements of this folder, as they stand in `sql/queries/viewers`.

use crate::postgres::sql::statements;

statements! {
    "viewers":
    CUT_SALT_EPOCH = "cut_salt_epoch";
    DESTROY_SALTS = "destroy_salts";
    LIMIT_LOCK_WAIT = "limit_lock_wait";
    OPEN_SALT_EPOCH = "open_salt_epoch";
    READ_DEAD_SALT_EPOCHS = "read_dead_salt_epochs";
    READ_ENDED_EPOCHS = "read_ended_epochs";
    READ_EPOCHS_OF_DAYS = "read_epochs_of_days";
    READ_LIVE_SALTS = "read_live_salts";
    READ_NEWEST_SALT = "read_newest_salt";
    READ_SALT_DEBTS = "read_salt_debts";
    READ_SALT_EPOCH = "read_salt_epoch";
    READ_SALT_EPOCHS = "read_salt_epochs";
    REPLACE_FINGERPRINT = "replace_fingerprint";
    REWRITE_SALT_EPOCHS = "rewrite_salt_epochs";
    USE_SALT_EPOCH = "use_salt_epoch";
    VACUUM_SALT_EPOCHS = "vacuum_salt_epochs";
}
