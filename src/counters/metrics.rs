//! Metrics of counters.

use std::sync::LazyLock;

use prometheus::{Histogram, IntCounter, IntCounterVec};

use super::apply::Status;
use crate::{
    events::refusal::Reason,
    telemetry::registry::{SHORT, counter, counters, histogram},
};

/// The metrics of this folder, registered at once, so that none is missing before its first event.
pub static METRICS: LazyLock<Metrics> = LazyLock::new(Metrics::new);

/// One handle a metric; its help text says what it means.
#[expect(missing_docs, reason = "the help texts describe them")]
pub struct Metrics {
    pub counts: IntCounterVec,
    pub counts_rejected: IntCounterVec,
    pub group_seconds: Histogram,
    pub group_counts: IntCounter,
    pub groups_failed: IntCounter,
    pub members_erased: IntCounter,
}

impl Metrics {
    fn new() -> Self {
        let metrics = Metrics {
            counts: counters(
                "counts_total",
                "Counts answered 200, so durable, by what became of them.",
                &["status"],
            ),
            counts_rejected: counters("counts_rejected_total", "Counts refused, by reason.", &["reason"]),
            group_seconds: histogram("count_commit_seconds", "Time a transaction of counts took.", SHORT),
            group_counts: counter(
                "count_commit_counts_total",
                "Counts committed; divided by the count of heatstrip_count_commit_seconds, how many a commit serves.",
            ),
            groups_failed: counter(
                "count_commits_failed_total",
                "Transactions of counts that failed, or whose outcome is unknown; their clients were told to send again.",
            ),
            members_erased: counter("members_erased_total", "Members all of whose records were removed."),
        };
        for status in Status::ALL {
            metrics.counts.with_label_values(&[status.name()]);
        }
        for reason in Reason::ALL {
            metrics.counts_rejected.with_label_values(&[reason.name()]);
        }
        metrics
    }
}
