//! Metrics of the cache of answers.

use std::sync::LazyLock;

use prometheus::{Histogram, IntCounter};

use crate::telemetry::registry::{SHORT, counter, histogram};

/// The metrics of this folder. They are registered at once, so that none is missing before its first event.
pub static METRICS: LazyLock<Metrics> = LazyLock::new(Metrics::new);

/// Each field is the handle of one metric, whose help text says what it means.
pub struct Metrics {
    pub strip_cache_hits: IntCounter,
    pub strip_cache_misses: IntCounter,
    pub strip_making_seconds: Histogram,
}

impl Metrics {
    fn new() -> Self {
        Metrics {
            strip_cache_hits: counter(
                "strip_cache_hits_total",
                "Strips and lists answered from the cache, or with the one that was just being made.",
            ),
            strip_cache_misses: counter("strip_cache_misses_total", "Strips and lists that had to be made."),
            strip_making_seconds: histogram(
                "strip_making_seconds",
                "Time to make a strip or a list: the read in Postgres and its serialization.",
                SHORT,
            ),
        }
    }
}
