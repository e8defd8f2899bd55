//! Metrics of the requests that are answered.

use std::{sync::LazyLock, time::Duration};

use prometheus::{HistogramVec, IntCounterVec};

use crate::telemetry::registry::{counters, histograms};

/// The metrics of this folder, registered at once, so that none is missing before its first event.
pub static METRICS: LazyLock<Metrics> = LazyLock::new(Metrics::new);

/// One handle a metric; its help text says what it means.
#[expect(missing_docs, reason = "the help texts describe them")]
pub struct Metrics {
    pub http_requests: IntCounterVec,
    pub http_request_seconds: HistogramVec,
}

impl Metrics {
    fn new() -> Self {
        Metrics {
            http_requests: counters(
                "http_requests_total",
                "Requests answered, by route and status.",
                &["route", "status"],
            ),
            http_request_seconds: histograms(
                "http_request_seconds",
                "Time from a request's arrival to its answer, by route.",
                &["route"],
            ),
        }
    }

    /// Notes an answered request.
    pub fn request(&self, route: &str, status: &str, took: Duration) {
        self.http_requests.with_label_values(&[route, status]).inc();
        self.http_request_seconds.with_label_values(&[route]).observe(took.as_secs_f64());
    }
}
