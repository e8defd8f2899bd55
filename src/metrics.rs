//! What somebody who runs this asks at night, for Prometheus to collect. Labels are closed lists: never a video, never a
//! viewer.

use std::{sync::LazyLock, time::Duration};

use prometheus::{
    Gauge, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, Opts, Registry,
    TextEncoder,
};

use crate::{heartbeat::Reason, store::PoolState, worker::Step};

/// How a scrape is written.
pub const CONTENT_TYPE: &str = prometheus::TEXT_FORMAT;

/// Seconds of what should take milliseconds.
const SHORT: &[f64] = &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
/// Seconds of what may take an hour.
const LONG: &[f64] = &[1.0, 10.0, 60.0, 300.0, 900.0, 1800.0, 3600.0, 7200.0];

/// The metrics of this process: all of them from the start, so that none is missing before its first event.
pub static METRICS: LazyLock<Metrics> = LazyLock::new(Metrics::new);

/// One handle a metric; what it means is its help text, in `Metrics::new`.
#[expect(missing_docs, reason = "the help texts describe them")]
pub struct Metrics {
    registry: Registry,
    pub http_requests: IntCounterVec,
    pub http_request_seconds: HistogramVec,
    pub heartbeats_accepted: IntCounter,
    pub heartbeats_rejected: IntCounterVec,
    pub duplicate_batches: IntCounter,
    pub commit_seconds: Histogram,
    pub commit_batches: IntCounter,
    pub commits_failed: IntCounter,
    pub queue_heartbeats: IntGauge,
    pub fold_lag_seconds: Gauge,
    pub postgres_up: IntGauge,
    pub step_seconds: Histogram,
    pub steps_failed: IntCounter,
    pub heartbeats_folded: IntCounter,
    pub rows_written: IntCounter,
    pub heartbeats_set_aside: IntCounter,
    pub compaction_seconds: Histogram,
    pub compactions_failed: IntCounter,
    pub rows_compacted: IntCounter,
    pub compaction_last_success: IntGauge,
    pub compaction_backlog: IntGauge,
    pub salts_destroyed: IntCounter,
    pub salt_destruction_last_success: IntGauge,
    pub strip_cache_hits: IntCounter,
    pub strip_cache_misses: IntCounter,
    pub strip_making_seconds: Histogram,
    pool_max: IntGauge,
    pool_connections: IntGauge,
    pool_available: IntGauge,
    pool_waiting: IntGauge,
}

impl Metrics {
    fn new() -> Self {
        let registry = Registry::new();
        let r = &registry;
        let metrics = Metrics {
            http_requests: counters(
                r,
                "http_requests_total",
                "Requests answered, by route and status.",
                &["route", "status"],
            ),
            http_request_seconds: histograms(
                r,
                "http_request_seconds",
                "Time from a request's arrival to its answer, by route.",
                &["route"],
            ),
            heartbeats_accepted: counter(
                r,
                "heartbeats_accepted_total",
                "Heartbeats answered 202, so durable; repeated batches are not counted again.",
            ),
            heartbeats_rejected: counters(
                r,
                "heartbeats_rejected_total",
                "Heartbeats refused, by reason.",
                &["reason"],
            ),
            duplicate_batches: counter(
                r,
                "duplicate_batches_total",
                "Batches whose id was accepted before: retries of clients, answered and not counted again.",
            ),
            commit_seconds: histogram(r, "commit_seconds", "Time a commit of queued batches took.", SHORT),
            commit_batches: counter(
                r,
                "commit_batches_total",
                "Batches committed to the queue; divided by the count of heatstrip_commit_seconds, how many a commit serves.",
            ),
            commits_failed: counter(
                r,
                "commits_failed_total",
                "Commits that failed, or whose outcome is unknown; their clients were told to send again.",
            ),
            queue_heartbeats: gauge(
                r,
                "queue_heartbeats",
                "Heartbeats that wait to be folded, sampled once a second by `serve`.",
            ),
            fold_lag_seconds: float_gauge(
                r,
                "fold_lag_seconds",
                "Age of the oldest heartbeat in the queue: how far folding is behind; sampled once a second by `serve`.",
            ),
            postgres_up: gauge(
                r,
                "postgres_up",
                "Whether the last sample of the queue succeeded (1) or Postgres did not answer (0).",
            ),
            step_seconds: histogram(
                r,
                "step_seconds",
                "Time of the worker steps that folded something.",
                SHORT,
            ),
            steps_failed: counter(
                r,
                "steps_failed_total",
                "Worker steps that failed; what they claimed stays in the queue.",
            ),
            heartbeats_folded: counter(
                r,
                "heartbeats_folded_total",
                "Heartbeats taken out of the queue by worker steps.",
            ),
            rows_written: counter(r, "rows_written_total", "Shard rows inserted or updated by worker steps."),
            heartbeats_set_aside: counter(
                r,
                "heartbeats_set_aside_total",
                "Heartbeats that could not be folded and were moved to heartbeat_queue_failed.",
            ),
            compaction_seconds: histogram(r, "compaction_seconds", "Time of the nightly jobs.", LONG),
            compactions_failed: counter(
                r,
                "compactions_failed_total",
                "Nightly jobs that failed; the next one goes on with the rest.",
            ),
            rows_compacted: counter(r, "rows_compacted_total", "Shard rows moved to canonical rows."),
            compaction_last_success: gauge(
                r,
                "compaction_last_success_timestamp_seconds",
                "When the last nightly job of this process succeeded; 0 before the first.",
            ),
            compaction_backlog: gauge(
                r,
                "compaction_backlog",
                "Days before today that still have shard rows, sampled once a minute by `serve`. \
                 Late heartbeats make one or two of them normal by day.",
            ),
            salts_destroyed: counter(r, "salts_destroyed_total", "Salts destroyed."),
            salt_destruction_last_success: gauge(
                r,
                "salt_destruction_last_success_timestamp_seconds",
                "When this process last made sure that no salt outlives its time; 0 before the first.",
            ),
            strip_cache_hits: counter(
                r,
                "strip_cache_hits_total",
                "Strips and lists answered from the cache, or with the one that was just being made.",
            ),
            strip_cache_misses: counter(
                r,
                "strip_cache_misses_total",
                "Strips and lists that had to be made.",
            ),
            strip_making_seconds: histogram(
                r,
                "strip_making_seconds",
                "Time to make a strip or a list: the read in Postgres and its serialization.",
                SHORT,
            ),
            pool_max: gauge(r, "pool_max_connections", "Connections to Postgres the pool may have."),
            pool_connections: gauge(r, "pool_connections", "Connections to Postgres the pool has."),
            pool_available: gauge(
                r,
                "pool_available_connections",
                "Connections of the pool that nobody uses.",
            ),
            pool_waiting: gauge(r, "pool_waiting", "Requests and jobs that wait for a connection."),
            registry,
        };
        for reason in Reason::ALL {
            metrics.heartbeats_rejected.with_label_values(&[reason.name()]);
        }
        // Nothing runs that could not reach it.
        metrics.postgres_up.set(1);
        metrics
    }

    /// Notes an answered request.
    pub fn request(&self, route: &str, status: &str, took: Duration) {
        self.http_requests.with_label_values(&[route, status]).inc();
        self.http_request_seconds.with_label_values(&[route]).observe(took.as_secs_f64());
    }

    /// Notes what a worker step did.
    pub fn step<E>(&self, outcome: &Result<Step, E>, took: Duration) {
        match outcome {
            Ok(Step::Idle) => {}
            Ok(Step::Folded { heartbeats, rows, failed }) => {
                self.heartbeats_folded.inc_by(*heartbeats as u64);
                self.rows_written.inc_by(*rows);
                self.heartbeats_set_aside.inc_by(*failed as u64);
                self.step_seconds.observe(took.as_secs_f64());
            }
            Err(_) => self.steps_failed.inc(),
        }
    }

    /// Everything in the text format, with the pool as it is now.
    pub fn text(&self, pool: &PoolState) -> String {
        self.pool_max.set(pool.max as i64);
        self.pool_connections.set(pool.connections as i64);
        self.pool_available.set(pool.available as i64);
        self.pool_waiting.set(pool.waiting as i64);
        TextEncoder::new()
            .encode_to_string(&self.registry.gather())
            .expect("names and values are plain text and numbers")
    }
}

fn opts(name: &str, help: &str) -> Opts {
    Opts::new(name, help).namespace("heatstrip")
}

/// In the registry, by its one name.
fn registered<C: Clone + prometheus::core::Collector + 'static>(
    registry: &Registry,
    metric: prometheus::Result<C>,
) -> C {
    let metric = metric.expect("names are well-formed");
    registry.register(Box::new(metric.clone())).expect("names are distinct");
    metric
}

fn counter(registry: &Registry, name: &str, help: &str) -> IntCounter {
    registered(registry, IntCounter::with_opts(opts(name, help)))
}

fn counters(registry: &Registry, name: &str, help: &str, labels: &[&str]) -> IntCounterVec {
    registered(registry, IntCounterVec::new(opts(name, help), labels))
}

fn gauge(registry: &Registry, name: &str, help: &str) -> IntGauge {
    registered(registry, IntGauge::with_opts(opts(name, help)))
}

fn float_gauge(registry: &Registry, name: &str, help: &str) -> Gauge {
    registered(registry, Gauge::with_opts(opts(name, help)))
}

fn histogram(registry: &Registry, name: &str, help: &str, buckets: &[f64]) -> Histogram {
    let opts = HistogramOpts::from(opts(name, help)).buckets(buckets.to_vec());
    registered(registry, Histogram::with_opts(opts))
}

fn histograms(registry: &Registry, name: &str, help: &str, labels: &[&str]) -> HistogramVec {
    let opts = HistogramOpts::from(opts(name, help)).buckets(SHORT.to_vec());
    registered(registry, HistogramVec::new(opts, labels))
}
