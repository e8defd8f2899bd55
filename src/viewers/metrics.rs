//! Metrics of salts: an operator has to know that they are destroyed in time.

use std::sync::LazyLock;

use prometheus::{IntCounter, IntGauge};

use crate::telemetry::registry::{counter, gauge};

/// The metrics of this folder. They are registered at once, so that none is missing before its first event.
pub static METRICS: LazyLock<Metrics> = LazyLock::new(Metrics::new);

/// Each field is the handle of one metric, whose help text says what it means.
pub struct Metrics {
    pub salts_destroyed: IntCounter,
    pub salt_destruction_last_success: IntGauge,
}

impl Metrics {
    fn new() -> Self {
        Metrics {
            salts_destroyed: counter("salts_destroyed_total", "Salts destroyed."),
            salt_destruction_last_success: gauge(
                "salt_destruction_last_success_timestamp_seconds",
                "When this process last made sure that no salt outlives its time; 0 before the first.",
            ),
        }
    }
}
