//! How the faults of the way in are answered.

use super::RETRY_WHEN_FULL;
use crate::{
    http::error::{ApiError, RETRY_WHEN_AWAY},
    ingest::{body::BodyError, intake::IntakeError},
    queue::QueueError,
    viewers::salt::SaltError,
};

impl From<BodyError> for ApiError {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::TooMany { .. } => ApiError::TooLarge(error.to_string()),
            _ => ApiError::BadRequest(error.to_string()),
        }
    }
}

impl From<SaltError> for ApiError {
    fn from(error: SaltError) -> Self {
        match &error {
            SaltError::Store(error) => ApiError::from(error),
            // Another process opened today's epoch. Others can hash, or this one once it is started anew.
            SaltError::OtherSalt { .. } => {
                tracing::error!(%error, "heartbeats cannot be hashed: {error}");
                ApiError::Unavailable {
                    detail: "this server does not know the salt of the day, nothing was accepted",
                    retry_after: RETRY_WHEN_AWAY,
                }
            }
            SaltError::Destroyed(_) | SaltError::NotKept(_) => {
                tracing::error!(%error, "a heartbeat cannot be hashed: {error}");
                ApiError::Internal
            }
        }
    }
}

impl From<&QueueError> for ApiError {
    fn from(error: &QueueError) -> Self {
        match error {
            QueueError::Store(error) => ApiError::from(error),
            QueueError::Full(_) => ApiError::Unavailable {
                detail: "the queue is full, nothing was accepted",
                retry_after: RETRY_WHEN_FULL,
            },
            QueueError::Away(_) | QueueError::Unsuitable(_) => ApiError::Unavailable {
                detail: "the queue is not reachable, nothing was accepted",
                retry_after: RETRY_WHEN_AWAY,
            },
            QueueError::OutcomeUnknown(_) => ApiError::Unavailable {
                detail: "the queue did not say whether it has the batch: send it again with the same batch_id",
                retry_after: RETRY_WHEN_AWAY,
            },
        }
    }
}

impl From<IntakeError> for ApiError {
    fn from(error: IntakeError) -> Self {
        match error {
            IntakeError::Full => ApiError::Unavailable {
                detail: "the queue is full, nothing was accepted",
                retry_after: RETRY_WHEN_FULL,
            },
            IntakeError::TimedOut => ApiError::Unavailable {
                detail: "the commit took too long: send the batch again with the same batch_id",
                retry_after: RETRY_WHEN_AWAY,
            },
            IntakeError::Salt(error) => error.into(),
            IntakeError::Queue(error) => ApiError::from(&*error),
        }
    }
}
