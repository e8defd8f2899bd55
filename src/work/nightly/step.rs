//! The steps of a night, and why one may fail.

use std::{fmt, time::Duration};

use crate::{heatmap::compaction::CompactionError, postgres::StoreError, work::clocks::ClockError};

/// A step takes no longer than this, so that a night is over before the next; the next goes on with the rest.
pub(super) const MAX_STEP: Duration = Duration::from_secs(6 * 3600);

/// The steps of a night.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Destroys the salts that nobody may use any more.
    Salts,
    /// Goes on with erasures of members, and packs what is closed of counters.
    Counters,
    /// Forgets the ids of elements that counters need not remember any more.
    CounterIds,
    /// Compacts the closed days.
    Compaction,
    /// Removes the days that are not kept. It says first which those are, so that nobody reads a half-removed day.
    Retention,
    /// Seals and thins the audience's sample of closed days, and drops what is not kept of it.
    Audience,
    /// Archives whoever has not viewed a video for long, and removes views' days that are not kept.
    Views,
    /// Removes the seconds of days that are kept more coarsely.
    Thinning,
    /// Forgets the chunks of files that were replayed long ago.
    BatchIds,
    /// Keeps the estimates of salt epochs that are over. Last, as strips are right without.
    Epochs,
}

impl Step {
    /// The steps in their order.
    pub const ALL: [Step; 10] = [
        Step::Salts,
        Step::Counters,
        Step::CounterIds,
        Step::Compaction,
        Step::Retention,
        Step::Audience,
        Step::Views,
        Step::Thinning,
        Step::BatchIds,
        Step::Epochs,
    ];

    /// Returns the name as it stands in metrics, lines and the table of nights.
    pub fn name(self) -> &'static str {
        match self {
            Step::Salts => "salts",
            Step::Counters => "counters",
            Step::CounterIds => "counter_ids",
            Step::Compaction => "compaction",
            Step::Retention => "retention",
            Step::Audience => "audience",
            Step::Views => "views",
            Step::Thinning => "thinning",
            Step::BatchIds => "batch_ids",
            Step::Epochs => "epochs",
        }
    }

    /// True if it does what cannot be undone because of the time.
    pub(super) fn asks_the_clocks(self) -> bool {
        match self {
            Step::Salts | Step::CounterIds | Step::Retention => true,
            Step::Audience | Step::Views | Step::Thinning | Step::BatchIds => true,
            Step::Counters | Step::Compaction | Step::Epochs => false,
        }
    }

    /// True if two nights would do the same work side by side.
    pub(super) fn is_for_one_night(self) -> bool {
        !matches!(self, Step::Salts | Step::Counters | Step::CounterIds | Step::Views)
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Why a step failed.
#[derive(Debug, thiserror::Error)]
pub enum StepError {
    /// The time is not to be trusted.
    #[error(transparent)]
    Clock(ClockError),
    /// The database did not do its part.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Another night is at it.
    #[error(transparent)]
    Compaction(CompactionError),
    /// It has more to do than fits into a night.
    #[error("not done in {} h, the next night goes on", MAX_STEP.as_secs() / 3600)]
    TooLong,
}

impl From<ClockError> for StepError {
    fn from(error: ClockError) -> Self {
        match error {
            ClockError::Store(error) => StepError::Store(error),
            error => StepError::Clock(error),
        }
    }
}

impl From<CompactionError> for StepError {
    fn from(error: CompactionError) -> Self {
        match error {
            CompactionError::Store(error) => StepError::Store(error),
            error @ CompactionError::Busy => StepError::Compaction(error),
        }
    }
}

impl StepError {
    /// True if it may be another time soon.
    pub fn may_pass(&self) -> bool {
        matches!(
            self,
            StepError::Store(
                StoreError::Unavailable(_) | StoreError::OutcomeUnknown(_) | StoreError::Conflict(_)
            )
        )
    }
}
