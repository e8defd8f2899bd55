//! What is overdue, for whoever watches: read from the tables, so that an alert fires whichever process is dead, whoever
//! runs the nightly job, and after any restart.

use chrono::TimeDelta;

use super::{
    clocks::{self, CLOCKS},
    metrics::METRICS,
    nightly::Step,
};
use crate::{
    clock::Clock,
    postgres::{Store, StoreError},
};

/// The nightly job runs once a day.
const NIGHT_PERIOD: TimeDelta = TimeDelta::days(1);

/// Shows in this process's metrics what is overdue.
pub async fn sample(store: &Store, clock: &Clock) -> Result<(), StoreError> {
    let now = clock.now();
    let days = store.shard_days().await?;
    METRICS.compaction_backlog.set(days.iter().filter(|day| **day < now.date_naive()).count() as i64);

    let debts = store.salt_debts(now).await?;
    METRICS.salts_overdue.set(debts.overdue as i64);
    METRICS.salts_overdue_seconds.set(debts.since.map_or(0, |since| (now - since).num_seconds().max(0)));

    let nights = store.nights().await?;
    let row = |name: &str| nights.iter().find(|row| row.step == name);
    for name in Step::ALL.map(Step::name).into_iter().chain([CLOCKS]) {
        let failing = row(name).is_some_and(|row| row.failure.is_some());
        METRICS.night_step_failing.with_label_values(&[name]).set(i64::from(failing));
    }
    for name in Step::ALL.map(Step::name) {
        // Before the first night there is something to do from the first salt on.
        let last = row(name).and_then(|row| row.succeeded_at).or(debts.first_made);
        let overdue = last.map_or(0, |last| (now - last - NIGHT_PERIOD).num_seconds().max(0));
        METRICS.night_overdue_seconds.with_label_values(&[name]).set(overdue);
    }
    Ok(())
}

/// Shows how far the clocks are apart, and returns whether they may be trusted to forget by.
pub async fn clocks_agree(store: &Store, clock: &Clock) -> Result<bool, StoreError> {
    let skew = clocks::skew(store, clock).await?;
    METRICS.clock_skew_seconds.set(skew.as_seconds_f64());
    if !clocks::agree(skew) {
        tracing::warn!(
            skew_secs = skew.num_seconds(),
            "postgres's clock is {} s ahead of this host's: let both keep time by NTP",
            skew.num_seconds()
        );
    }
    Ok(clocks::agree(skew))
}
