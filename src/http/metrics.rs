//! Metrics of the requests that are answered.

use std::{sync::LazyLock, time::Duration};

use prometheus::{HistogramVec, IntCounter, IntCounterVec, IntGauge};

use crate::telemetry::registry::{counter, counters, gauge, histograms};

/// The metrics of this folder. They are registered at once, so that none is missing before its first event.
pub static METRICS: LazyLock<Metrics> = LazyLock::new(Metrics::new);

/// Each field is the handle of one metric, whose help text says what it means.
pub struct Metrics {
    pub http_requests: IntCounterVec,
    pub http_request_seconds: HistogramVec,
    pub connections: IntGauge,
    pub connections_evicted: IntCounter,
    pub connections_refused: IntCounter,
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
            connections: gauge("connections", "Connections of clients that are open."),
            connections_evicted: counter(
                "connections_evicted_total",
                "Connections that were closed while they waited for their client, because others needed the room.",
            ),
            connections_refused: counter(
                "connections_refused_total",
                "Connections that were closed at once, because all others were being worked on.",
            ),
        }
    }

    /// Counts an answered request and the time it took.
    pub fn request(&self, route: &str, status: &str, took: Duration) {
        self.http_requests.with_label_values(&[route, status]).inc();
        self.http_request_seconds.with_label_values(&[route]).observe(took.as_secs_f64());
    }
}
