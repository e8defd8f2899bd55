//! Metrics of the heartbeats that arrive, and of how they become durable.

use std::sync::LazyLock;

use prometheus::{Histogram, IntCounter, IntCounterVec};

use super::http::Endpoint;
use crate::events::refusal::Reason;
use crate::telemetry::registry::{SHORT, counter, counters, histogram};

/// The metrics of this folder. They are registered at once, so that none is missing before its first event.
pub static METRICS: LazyLock<Metrics> = LazyLock::new(Metrics::new);

/// Each field is the handle of one metric, whose help text says what it means.
pub struct Metrics {
    pub heartbeats_accepted: IntCounter,
    pub heartbeats_rejected: IntCounterVec,
    pub views_accepted: IntCounter,
    pub views_rejected: IntCounterVec,
    pub duplicate_batches: IntCounter,
    pub commit_seconds: Histogram,
    pub commit_batches: IntCounter,
    pub commits_failed: IntCounter,
}

impl Metrics {
    fn new() -> Self {
        let metrics = Metrics {
            heartbeats_accepted: counter(
                "heartbeats_accepted_total",
                "Heartbeats answered 202, so durable; repeated batches are not counted again.",
            ),
            heartbeats_rejected: counters(
                "heartbeats_rejected_total",
                "Heartbeats refused, by reason.",
                &["reason"],
            ),
            views_accepted: counter(
                "views_accepted_total",
                "Views of `POST /v1/views` answered 202, so durable; repeated batches are not counted again.",
            ),
            views_rejected: counters(
                "views_rejected_total",
                "Views of `POST /v1/views` refused, by reason.",
                &["reason"],
            ),
            duplicate_batches: counter(
                "duplicate_batches_total",
                "Batches whose id was accepted before: retries of clients, answered and not counted again.",
            ),
            commit_seconds: histogram("commit_seconds", "Time a commit of queued batches took.", SHORT),
            commit_batches: counter(
                "commit_batches_total",
                "Batches committed to the queue; divided by the count of heatstrip_commit_seconds, how many a commit serves.",
            ),
            commits_failed: counter(
                "commits_failed_total",
                "Commits that failed, or whose outcome is unknown; their clients were told to send again.",
            ),
        };
        for reason in Reason::ALL {
            metrics.heartbeats_rejected.with_label_values(&[reason.name()]);
            metrics.views_rejected.with_label_values(&[reason.name()]);
        }
        metrics
    }

    /// Returns the counter of accepted elements.
    pub fn accepted(&self, endpoint: Endpoint) -> &IntCounter {
        match endpoint {
            Endpoint::Heartbeats => &self.heartbeats_accepted,
            Endpoint::Views => &self.views_accepted,
        }
    }

    /// Returns the counters of refused elements, by reason.
    pub fn rejected(&self, endpoint: Endpoint) -> &IntCounterVec {
        match endpoint {
            Endpoint::Heartbeats => &self.heartbeats_rejected,
            Endpoint::Views => &self.views_rejected,
        }
    }
}
