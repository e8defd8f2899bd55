//! Metrics of the catalogue.

use std::sync::LazyLock;

use prometheus::IntCounter;

use crate::telemetry::registry::counter;

/// The metrics of this folder. They are registered at once, so that none is missing before its first event.
pub static METRICS: LazyLock<Metrics> = LazyLock::new(Metrics::new);

/// Each field is the handle of one metric, whose help text says what it means.
pub struct Metrics {
    pub duration_lookups: IntCounter,
    pub catalogue_looks_failed: IntCounter,
}

impl Metrics {
    fn new() -> Self {
        Metrics {
            duration_lookups: counter(
                "duration_lookups_total",
                "Look-ups of durations in the catalogue: at most one for a batch of heartbeats, none if all its videos are known here.",
            ),
            catalogue_looks_failed: counter(
                "catalogue_looks_failed_total",
                "Times this process could not ask whether the catalogue has changed, and went on with what it knew.",
            ),
        }
    }
}
