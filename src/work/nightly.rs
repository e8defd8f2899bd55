//! The nightly job: one run keeps the database in order.
//!
//! It is a row of steps. Each is bounded and goes on where the last night left it, waits while Postgres is away, and fails
//! for itself: its failure is told, counted and noted in the table of nights, and the steps behind it run all the same. What
//! cannot be undone asks the clocks first. A job that dies is simply run again.

use std::{
    fmt,
    time::{Duration, Instant},
};

use chrono::{DateTime, Days, NaiveDate, Utc};

use super::{clocks, metrics::METRICS};
use crate::{
    audience,
    clock::Clock,
    counters,
    heatmap::{compaction, nightly as heatmap_nightly},
    postgres::Store,
    queue::batch_ids::{REPLAY_MEMORY, Ring},
    viewers::salt,
    views,
};

mod step;

pub use step::{Step, StepError};

use step::MAX_STEP;

/// A step that fails for a reason that may pass is tried this often.
const MAX_ATTEMPTS: u32 = 3;
/// Between two attempts, and between two looks whether Postgres is back.
const PAUSE: Duration = Duration::from_secs(2);
/// A night waits for Postgres this long, all its steps together.
const PATIENCE: Duration = Duration::from_secs(3600);

/// What is kept.
#[derive(Debug, Clone, Copy, Default)]
pub struct Keep {
    /// Days kept before today, none for all.
    pub days: Option<u32>,
    /// Days kept by the second before today, none for all.
    pub fine_days: Option<u32>,
    /// Days for which viewers of a video are remembered, none for [`views::archive::RECENT_DAYS`].
    pub recent_days: Option<u32>,
    /// Days of the audience's sample kept before today, none for all.
    pub sample_days: Option<u32>,
}

/// Some steps of a night failed; the others are done.
#[derive(Debug)]
pub struct Failed {
    /// The work that was done all the same.
    pub summary: Summary,
    /// The steps that failed.
    pub failures: Vec<(Step, StepError)>,
}

impl std::error::Error for Failed {}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let steps: Vec<String> =
            self.failures.iter().map(|(step, error)| format!("the step {step} failed: {error}")).collect();
        f.write_str(&steps.join("; "))
    }
}

/// The work that a night did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Summary {
    /// Epochs whose salts were destroyed.
    pub destroyed_salts: u64,
    /// What was compacted.
    pub compacted: compaction::Summary,
    /// Partitions dropped, as none of their days is kept.
    pub dropped_partitions: u64,
    /// Canonical rows deleted, as their days are not kept.
    pub deleted_rows: u64,
    /// What was done to the audience's sample.
    pub audience: audience::nightly::Summary,
    /// What was done to counters.
    pub counters: counters::nightly::Summary,
    /// What was done to views.
    pub views: views::nightly::Summary,
    /// Seconds deleted, as their days are kept more coarsely.
    pub thinned_rows: u64,
}

/// A night that is about to be run.
pub struct Night<'a> {
    store: &'a Store,
    clock: &'a Clock,
    accept_clock: bool,
    patience: Duration,
}

impl<'a> Night<'a> {
    /// Returns a night on this database.
    pub fn new(store: &'a Store, clock: &'a Clock) -> Self {
        Night { store, clock, accept_clock: false, patience: PATIENCE }
    }

    /// Goes by this host's clock, whatever Postgres's says and however long the last night was ago.
    pub fn accept_clock(self, accept_clock: bool) -> Self {
        Night { accept_clock, ..self }
    }

    /// Waits for Postgres for so long.
    pub fn patience(self, patience: Duration) -> Self {
        Night { patience, ..self }
    }

    /// Runs every step; compacts through `through`, inclusive. `progress` hears how many shard rows each piece moved.
    pub async fn run(
        self,
        through: NaiveDate,
        keep: Keep,
        progress: impl FnMut(u64),
    ) -> Result<Summary, Failed> {
        let mut run = Run { through, keep, progress, summary: Summary::default(), lock: None, night: self };
        let mut failures = Vec::new();
        for step in Step::ALL {
            if let Err(error) = run.attempt(step).await {
                failures.push((step, error));
            }
        }
        match failures.is_empty() {
            true => Ok(run.summary),
            false => Err(Failed { summary: run.summary, failures }),
        }
    }

    /// Destroys salts whose time has come, between two nights: they are promised to be gone within the hour. Does nothing
    /// if none is due and nothing is left of an earlier try.
    pub async fn keep_promise(self) -> Result<u64, StepError> {
        let debts = self.store.salt_debts(self.clock.now()).await?;
        let unfinished = self
            .store
            .nights()
            .await?
            .iter()
            .any(|row| row.step == Step::Salts.name() && row.failure.is_some());
        if debts.overdue == 0 && !unfinished {
            return Ok(0);
        }
        let mut run = Run {
            through: NaiveDate::MIN,
            keep: Keep::default(),
            progress: |_| (),
            summary: Summary::default(),
            lock: None,
            night: self,
        };
        run.attempt(Step::Salts).await.map(|()| run.summary.destroyed_salts)
    }
}

/// Runs a night with nothing out of the ordinary.
pub async fn run(
    store: &Store,
    clock: &Clock,
    through: NaiveDate,
    keep: Keep,
    progress: impl FnMut(u64),
) -> Result<Summary, Failed> {
    Night::new(store, clock).run(through, keep, progress).await
}

/// A night that is under way.
struct Run<'a, P> {
    night: Night<'a>,
    through: NaiveDate,
    keep: Keep,
    progress: P,
    summary: Summary,
    /// Held from the first step on that is for one night alone, to the end.
    lock: Option<compaction::NightLock>,
}

impl<P: FnMut(u64)> Run<'_, P> {
    /// Runs a step to its end or to its failure, and notes what became of it.
    async fn attempt(&mut self, step: Step) -> Result<(), StepError> {
        let outcome = self.persist(step).await;
        let failure = outcome.as_ref().err().map(ToString::to_string);
        if let Some(failure) = &failure {
            METRICS.night_steps_failed.with_label_values(&[step.name()]).inc();
            tracing::error!(step = step.name(), "the step {step} of the night failed: {failure}");
        }
        let noted = self.night.store.write_night(step.name(), self.night.clock.now(), failure.as_deref());
        if let Err(error) = noted.await {
            tracing::warn!(%error, "what became of the step {step} could not be noted: {error}");
        }
        outcome
    }

    /// Tries a step again while that may help.
    async fn persist(&mut self, step: Step) -> Result<(), StepError> {
        let mut attempt = 1;
        loop {
            match self.once(step).await {
                Err(error) if error.may_pass() && attempt < MAX_ATTEMPTS => {
                    tracing::warn!(%error, "the step {step} of the night is tried again: {error}");
                    attempt += 1;
                    tokio::time::sleep(PAUSE.min(self.night.patience)).await;
                    if !self.is_back().await {
                        return Err(error);
                    }
                }
                outcome => return outcome,
            }
        }
    }

    /// Waits until Postgres answers and takes writes; false if the night has waited long enough.
    async fn is_back(&mut self) -> bool {
        let began = Instant::now();
        while let Err(error) = self.night.store.check().await {
            if began.elapsed() >= self.night.patience {
                self.night.patience = Duration::ZERO;
                return false;
            }
            tracing::debug!(%error, "the night waits for postgres: {error}");
            tokio::time::sleep(PAUSE.min(self.night.patience)).await;
        }
        self.night.patience = self.night.patience.saturating_sub(began.elapsed());
        true
    }

    async fn once(&mut self, step: Step) -> Result<(), StepError> {
        let Night { store, clock, accept_clock, .. } = self.night;
        let now = match step.asks_the_clocks() {
            true => clocks::trusted_now(store, clock, accept_clock).await?,
            false => clock.now(),
        };
        if step.is_for_one_night() && self.lock.is_none() {
            self.lock = Some(compaction::lock(store).await?);
        }
        match tokio::time::timeout(MAX_STEP, self.work(step, now)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(StepError::TooLong),
        }
    }

    /// Does the work of a step. What an attempt did before it failed stays done, and counts in the summary.
    async fn work(&mut self, step: Step, now: DateTime<Utc>) -> Result<(), StepError> {
        let store = self.night.store;
        let summary = &mut self.summary;
        let today = now.date_naive();
        let first_day = |days: Option<u32>| days.map(|days| today - Days::new(days.into()));
        match step {
            Step::Salts => summary.destroyed_salts += salt::destroy(store, now).await?,
            Step::Counters => {
                let done = counters::nightly::run(store, self.night.clock).await?;
                summary.counters.packed += done.packed;
                summary.counters.erased += done.erased;
            }
            Step::CounterIds => counters::nightly::forget(store).await?,
            Step::Compaction => {
                compaction::run_locked(store, self.through, &mut self.progress, &mut summary.compacted)
                    .await?;
            }
            Step::Retention => {
                store.advance_retention(first_day(self.keep.days), None).await?;
                store.delete_unkept_failed().await?;
                store.delete_unkept_ledger().await?;
                heatmap_nightly::drop_unkept(store, &mut summary.dropped_partitions).await?;
                heatmap_nightly::delete_unkept(store, &mut summary.deleted_rows).await?;
            }
            Step::Audience => {
                let sample_days = [self.keep.sample_days, self.keep.days].into_iter().flatten().min();
                summary.audience = audience::nightly::run(store, self.night.clock, sample_days).await?;
            }
            Step::Views => {
                let recent_days = self.keep.recent_days.unwrap_or(views::archive::RECENT_DAYS);
                summary.views = views::nightly::run(store, self.night.clock, recent_days).await?;
            }
            Step::Thinning => {
                heatmap_nightly::thin(store, first_day(self.keep.fine_days), &mut summary.thinned_rows)
                    .await?;
            }
            Step::BatchIds => {
                // Beside a stream, whoever registers its messages forgets ids by their time.
                if store.stream_position().await?.is_none() {
                    store.rotate_batch_ids(Ring::Replay, REPLAY_MEMORY, now).await?;
                }
            }
            Step::Epochs => heatmap_nightly::count_epochs(store, today).await?,
        }
        Ok(())
    }
}
