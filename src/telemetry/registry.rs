//! The registry of this process's Prometheus metrics. Each folder makes its own metrics with the functions below.
//! Labels are closed lists and never name a video or a viewer.

use std::sync::LazyLock;

use prometheus::{
    Gauge, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts,
    Registry, TextEncoder,
};

/// The content type of a scrape.
pub const CONTENT_TYPE: &str = prometheus::TEXT_FORMAT;

/// Bounds, in seconds, for work that should take milliseconds.
pub const SHORT: &[f64] = &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
/// Bounds, in seconds, for work that may take an hour.
pub const LONG: &[f64] = &[1.0, 10.0, 60.0, 300.0, 900.0, 1800.0, 3600.0, 7200.0];

static REGISTRY: LazyLock<Registry> = LazyLock::new(Registry::new);

/// Returns everything that is registered, in the text format.
pub fn text() -> String {
    TextEncoder::new()
        .encode_to_string(&REGISTRY.gather())
        .expect("names and values are plain text and numbers")
}

fn opts(name: &str, help: &str) -> Opts {
    Opts::new(name, help).namespace("heatstrip")
}

/// Registers a metric, whose name must be its own.
fn registered<C: Clone + prometheus::core::Collector + 'static>(metric: prometheus::Result<C>) -> C {
    let metric = metric.expect("names are well-formed");
    REGISTRY.register(Box::new(metric.clone())).expect("names are distinct");
    metric
}

/// Makes a counter.
pub fn counter(name: &str, help: &str) -> IntCounter {
    registered(IntCounter::with_opts(opts(name, help)))
}

/// Makes counters by label. Labels are closed lists and never name a video or a viewer.
pub fn counters(name: &str, help: &str, labels: &[&str]) -> IntCounterVec {
    registered(IntCounterVec::new(opts(name, help), labels))
}

/// Makes a gauge of whole numbers.
pub fn gauge(name: &str, help: &str) -> IntGauge {
    registered(IntGauge::with_opts(opts(name, help)))
}

/// Makes gauges of whole numbers by label; labels are closed lists.
pub fn gauges(name: &str, help: &str, labels: &[&str]) -> IntGaugeVec {
    registered(IntGaugeVec::new(opts(name, help), labels))
}

/// Makes a gauge.
pub fn float_gauge(name: &str, help: &str) -> Gauge {
    registered(Gauge::with_opts(opts(name, help)))
}

/// Makes a histogram with these upper bounds, in seconds.
pub fn histogram(name: &str, help: &str, buckets: &[f64]) -> Histogram {
    let opts = HistogramOpts::from(opts(name, help)).buckets(buckets.to_vec());
    registered(Histogram::with_opts(opts))
}

/// Makes histograms by label, for work that should take milliseconds.
pub fn histograms(name: &str, help: &str, labels: &[&str]) -> HistogramVec {
    let opts = HistogramOpts::from(opts(name, help)).buckets(SHORT.to_vec());
    registered(HistogramVec::new(opts, labels))
}
