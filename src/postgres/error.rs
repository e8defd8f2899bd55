//! The reasons for which the database did not do what it was asked to.

use tokio_postgres::error::SqlState;

/// The database did not do what it was asked to, for one of these reasons.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// Postgres cannot be reached, or went away before the COMMIT was sent: nothing was done.
    #[error("postgres is not reachable: {0}")]
    Unavailable(String),
    /// The connection broke between COMMIT and its answer: the transaction may have been committed or not.
    #[error("the outcome of the commit is unknown: {0}")]
    OutcomeUnknown(String),
    /// Somebody else was in the way: nothing was done, and trying again will help.
    #[error("the transaction lost a conflict: {0}")]
    Conflict(String),
    /// Postgres cannot take these values, now or ever.
    #[error("postgres refused a value: {0}")]
    BadValue(String),
    /// Postgres refused for a reason that does not lie in the values: a missing right, a broken disk, a bug.
    #[error("postgres refused: {0}")]
    Refused(String),
    /// The work took longer than it may, and was given up: its statement was cancelled.
    #[error("the work was given up after {0} s")]
    Overdue(u64),
    /// As much work of the kind was under way as may be, for as long as somebody waits for a place.
    #[error("no place to work came free within {0} s")]
    Crowded(u64),
    /// The work met a fault of this program.
    #[error("a fault of this program: {0}")]
    Fault(String),
    /// The database is not one this program can work on; the text says what to do.
    #[error("{0}")]
    Unsuitable(String),
}

impl From<tokio_postgres::Error> for StoreError {
    fn from(error: tokio_postgres::Error) -> Self {
        let Some(db_error) = error.as_db_error() else {
            // The server gave no answer. Only a value that the driver cannot write or read is a fault of the value:
            // heartbeats are set aside for it. Whatever else the driver knows is the connection's, and passes.
            return match fault_of(&error) {
                Fault::Value => StoreError::BadValue(describe(&error)),
                Fault::Statement => StoreError::Refused(describe(&error)),
                Fault::Connection => StoreError::Unavailable(describe(&error)),
            };
        };
        // The text is the message alone, because `detail` may quote rows. That of a node that is lost has two lines.
        let text = format!("{} ({})", db_error.message().replace('\n', " "), db_error.code().code());
        match db_error.code() {
            code if [
                SqlState::T_R_SERIALIZATION_FAILURE,
                SqlState::T_R_DEADLOCK_DETECTED,
                SqlState::LOCK_NOT_AVAILABLE,
                // Somebody inserted the row between our look and our insert, so the next look sees it.
                SqlState::UNIQUE_VIOLATION,
            ]
            .contains(code) =>
            {
                StoreError::Conflict(text)
            }
            // The row fits no partition: it was dropped, empty, between the look for it and the write.
            code if *code == SqlState::CHECK_VIOLATION && db_error.constraint().is_none() => {
                StoreError::Conflict(text)
            }
            // The classes are 22 for data, 23 for constraints and 54 for program limits.
            code if ["22", "23", "54"].iter().any(|class| code.code().starts_with(class)) => {
                StoreError::BadValue(text)
            }
            // The classes are 08 for the connection, 25 for a transaction left open too long, 53 for resources and 57
            // for operator intervention: the fault lies in the server's state, not in the statement.
            code if ["08", "25", "53", "57"].iter().any(|class| code.code().starts_with(class)) => {
                StoreError::Unavailable(text)
            }
            _ => StoreError::Refused(text),
        }
    }
}

/// What is at fault where the server gave no answer.
#[derive(Debug, PartialEq, Eq)]
enum Fault {
    Value,
    Statement,
    Connection,
}

/// Tells the driver's errors apart by their texts, as it keeps their kinds to itself.
fn fault_of(error: &tokio_postgres::Error) -> Fault {
    const VALUE: [&str; 3] =
        ["error serializing parameter", "error deserializing column", "error encoding message to server"];
    const STATEMENT: [&str; 3] = ["invalid column", "query returned an unexpected number", "expected "];
    let text = error.to_string();
    let begins = |texts: &[&str]| texts.iter().any(|begin| text.starts_with(begin));
    match (begins(&VALUE), begins(&STATEMENT)) {
        (true, _) => Fault::Value,
        (_, true) => Fault::Statement,
        _ => Fault::Connection,
    }
}

/// Says it in one line.
pub(crate) fn describe(error: &tokio_postgres::Error) -> String {
    match std::error::Error::source(error) {
        Some(source) => format!("{error}: {source}").replace('\n', " "),
        None => error.to_string(),
    }
}
