//! The statements of this folder, as they stand in `sql/queries/access`.

use crate::postgres::sql::statements;

statements! {
    "access":
    INSERT_KEY = "insert_key";
    READ_KEYS = "read_keys";
    REVOKE_KEY = "revoke_key";
}
