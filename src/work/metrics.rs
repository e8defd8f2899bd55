//! Metrics of the worker and of the night.

use std::{sync::LazyLock, time::Duration};

use prometheus::{Gauge, Histogram, IntCounter, IntCounterVec, IntGauge, IntGaugeVec};

use super::{clocks::CLOCKS, nightly, worker::Step};
use crate::telemetry::registry::{LONG, SHORT, counter, counters, float_gauge, gauge, gauges, histogram};

/// The metrics of this folder, registered at once, so that none is missing before its first event.
pub static METRICS: LazyLock<Metrics> = LazyLock::new(Metrics::new);

/// One handle a metric; its help text says what it means.
pub struct Metrics {
    pub queue_heartbeats: IntGauge,
    pub fold_lag_seconds: Gauge,
    pub postgres_up: IntGauge,
    pub queue_up: IntGauge,
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
    pub drift: IntGaugeVec,
    pub night_steps_failed: IntCounterVec,
    pub night_step_failing: IntGaugeVec,
    pub night_overdue_seconds: IntGaugeVec,
    pub salts_overdue: IntGauge,
    pub salts_overdue_seconds: IntGauge,
    pub clock_skew_seconds: Gauge,
}

impl Metrics {
    fn new() -> Self {
        let metrics = Metrics {
            queue_heartbeats: gauge(
                "queue_heartbeats",
                "Heartbeats that wait to be folded, sampled once a second by `serve`.",
            ),
            fold_lag_seconds: float_gauge(
                "fold_lag_seconds",
                "Age of the oldest heartbeat in the queue: how far folding is behind; sampled once a second by `serve`.",
            ),
            postgres_up: gauge(
                "postgres_up",
                "Whether the last sample of the queue succeeded (1) or Postgres did not answer (0).",
            ),
            queue_up: gauge(
                "queue_up",
                "Whether the last sample of the queue succeeded (1), or Postgres or NATS did not answer as it should (0).",
            ),
            step_seconds: histogram("step_seconds", "Time of the worker steps that folded something.", SHORT),
            steps_failed: counter(
                "steps_failed_total",
                "Worker steps that failed; what they claimed stays in the queue.",
            ),
            heartbeats_folded: counter(
                "heartbeats_folded_total",
                "Heartbeats taken out of the queue by worker steps.",
            ),
            rows_written: counter("rows_written_total", "Shard rows inserted or updated by worker steps."),
            heartbeats_set_aside: counter(
                "heartbeats_set_aside_total",
                "Heartbeats that could not be folded and were moved to heartbeat_queue_failed.",
            ),
            compaction_seconds: histogram("compaction_seconds", "Time of the nightly jobs.", LONG),
            compactions_failed: counter(
                "compactions_failed_total",
                "Nightly jobs that failed; the next one goes on with the rest.",
            ),
            rows_compacted: counter("rows_compacted_total", "Shard rows moved to canonical rows."),
            compaction_last_success: gauge(
                "compaction_last_success_timestamp_seconds",
                "When the last nightly job of this process succeeded; 0 before the first.",
            ),
            compaction_backlog: gauge(
                "compaction_backlog",
                "Days before today that still have shard rows, sampled once a minute by `serve`. \
                 Late heartbeats make one or two of them normal by day.",
            ),
            drift: gauges(
                "drift",
                "Numbers that the last `heatstrip reconcile` found wrong, before it healed them: 0 is what it must read; \
                 sampled once a minute by `serve`.",
                &["kind"],
            ),
            night_steps_failed: counters(
                "night_steps_failed_total",
                "Steps of the nightly job that failed in this process, by step; the others are done all the same.",
                &["step"],
            ),
            night_step_failing: gauges(
                "night_step_failing",
                "Whether a step of the nightly job failed when it was last tried (1), whichever process tried it; \
                 `clocks` stands for a time that is not trusted; sampled once a minute by `serve`.",
                &["step"],
            ),
            night_overdue_seconds: gauges(
                "night_overdue_seconds",
                "For how long a step of the nightly job has been due, a day after it last succeeded, whichever process \
                 runs it; sampled once a minute by `serve`.",
                &["step"],
            ),
            salts_overdue: gauge(
                "salts_overdue",
                "Salts that should be destroyed by now, sampled once a minute by `serve`.",
            ),
            salts_overdue_seconds: gauge(
                "salts_overdue_seconds",
                "For how long the first of them should have been destroyed, 0 if none is overdue.",
            ),
            clock_skew_seconds: float_gauge(
                "clock_skew_seconds",
                "How far Postgres's clock is ahead of this host's, sampled once a minute by `serve` and before every step \
                 of the nightly job that asks the clocks.",
            ),
        };
        // Only a process that had reached Postgres gets this far.
        metrics.postgres_up.set(1);
        metrics.queue_up.set(1);
        for name in super::reconcile::COMPARED {
            metrics.drift.with_label_values(&[name]);
        }
        for step in nightly::Step::ALL.map(nightly::Step::name) {
            metrics.night_steps_failed.with_label_values(&[step]);
            metrics.night_step_failing.with_label_values(&[step]);
            metrics.night_overdue_seconds.with_label_values(&[step]);
        }
        metrics.night_step_failing.with_label_values(&[CLOCKS]);
        metrics
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
}
