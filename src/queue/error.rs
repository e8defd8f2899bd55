//! The reasons for which a queue did not do what it was asked to.

use crate::postgres::StoreError;

/// The queue did not do what it was asked to, for one of these reasons.
#[derive(Debug, Clone, thiserror::Error)]
pub enum QueueError {
    /// Postgres did not do its part.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The stream holds as much as it may: nothing was done.
    #[error("the stream is full: {0}")]
    Full(String),
    /// NATS cannot be reached, or the stream has no leader: nothing was done.
    #[error("nats is not reachable: {0}")]
    Away(String),
    /// NATS did not acknowledge a message: it may be stored or not.
    #[error("the outcome of the publication is unknown: {0}")]
    OutcomeUnknown(String),
    /// The stream is not one that can be worked on; the text says what to do.
    #[error("{0}")]
    Unsuitable(String),
}
