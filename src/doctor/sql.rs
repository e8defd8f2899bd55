//! The statements of this folder, as they stand in `sql/queries/doctor`.

use crate::postgres::sql::statements;

statements! {
    "doctor":
    READ_ENCRYPTION = "read_encryption";
    READ_PARTITION_FAULTS = "read_partition_faults";
    READ_SALT_HEALTH = "read_salt_health";
    READ_SERVER = "read_server";
    READ_SET_ASIDE = "read_set_aside";
}
