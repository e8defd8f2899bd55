//! Metrics of the requests that are refused for their keys.

use std::sync::LazyLock;

use prometheus::{IntCounterVec, IntGauge};

use crate::telemetry::registry::{counters, gauge};

/// The metrics of this folder. They are registered at once, so that none is missing before its first event.
pub static METRICS: LazyLock<Metrics> = LazyLock::new(Metrics::new);

/// Each field is the handle of one metric, whose help text says what it means.
pub struct Metrics {
    pub refused: IntCounterVec,
    pub keys: IntGauge,
    pub open: IntGauge,
}

impl Metrics {
    fn new() -> Self {
        let metrics = Metrics {
            refused: counters(
                "access_refused_total",
                "Requests refused for their key: no_key, unknown_key, not_allowed, origin, too_many or unavailable.",
                &["reason"],
            ),
            keys: gauge("access_keys", "Keys that are not revoked."),
            open: gauge("access_open", "1 while everybody may do everything, without a key."),
        };
        for reason in ["no_key", "unknown_key", "not_allowed", "origin", "too_many", "unavailable"] {
            metrics.refused.with_label_values(&[reason]);
        }
        metrics
    }
}
