//! The worker: takes heartbeats and views out of the queue, folds them, and appends the runs to the shards, in one transaction a
//! step: a crash anywhere rolls all of it back, so nothing is lost and nothing counts twice.

use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use scoped_futures::ScopedFutureExt;
use tokio_util::sync::CancellationToken;

use super::{
    append::{Appended, append},
    metrics::METRICS,
    regions::{self, Learned},
};
use crate::{
    clock::Clock,
    events::hashed::Entry,
    heatmap::{
        compaction,
        store::shards::{self, VideoDay},
    },
    ledger::{self, Element, SET_ASIDE, store::Added},
    postgres::{StoreError, Tables, in_savepoint},
    queue::{
        Oldest, Queue, QueueError, Ripe, RipeLane,
        claim::{self, Window},
        failed,
    },
    views::{self, store::fold::FoldedViews},
};

/// A step claims no more than this. The larger the window, the more of a session's beats join to one run; 100,000 heartbeats
/// fold in a few tens of milliseconds and take some 10 MB. Seconds bound what a run can become: 8,000,000 are 80 a
/// heartbeat, where players send 10.
const MAX_WINDOW: Window = Window { heartbeats: 100_000, watched_secs: 8_000_000, rows: 20_000 };
/// How much narrower the next window is when one cannot be folded.
const WINDOW_STRIDE: u64 = 8;
/// A lane with this many heartbeats is worth a step of its own, however young they are.
const RIPE_HEARTBEATS: u64 = 20_000;
/// How long a worker with nothing to do waits before it looks again.
const IDLE_PAUSE: Duration = Duration::from_millis(200);
/// Between two times that the queue is put in order.
const TIDY_PERIOD: Duration = Duration::from_secs(5);
/// Between two looks at all rows, dead ones too, in case a row came from somewhere that does not keep the rules.
const WHOLE_TIDY_PERIOD: Duration = Duration::from_secs(3600);
/// How long a worker waits when Postgres is away.
const AWAY_PAUSE: Duration = Duration::from_secs(1);

/// The outcome of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// It folded this many heartbeats and views.
    Folded {
        /// Heartbeats and views taken out of the queue.
        heartbeats: usize,
        /// Rows written.
        rows: u64,
        /// Heartbeats and views that could not be folded and were set aside.
        failed: usize,
    },
    /// There was nothing to fold, or others are at it.
    Idle,
}

/// Folds the window of one free lane that is ripe. A lane that cannot be worked on does not keep the others waiting.
///
/// A lane is ripe once its oldest heartbeat has waited for `wait`, or many others have come: sessions whose beats are
/// folded together join to longer runs.
pub async fn step(queue: impl Into<Queue>, clock: &Clock, wait: Duration) -> Result<Step, QueueError> {
    let wait = TimeDelta::from_std(wait).unwrap_or(TimeDelta::MAX);
    let ripe = Ripe { accepted_by: clock.now() - wait, heartbeats: RIPE_HEARTBEATS };
    step_ripe(&queue.into(), clock, ripe).await
}

async fn step_ripe(queue: &Queue, clock: &Clock, ripe: Ripe) -> Result<Step, QueueError> {
    let mut failure = None;
    for lane in queue.ripe_lanes(clock.now(), ripe).await? {
        match step_lane(queue, clock, lane).await {
            Ok(Step::Idle) => {}
            Ok(folded) => return Ok(folded),
            Err(error @ (StoreError::Refused(_) | StoreError::Conflict(_) | StoreError::BadValue(_))) => {
                failure = Some(error);
            }
            // The coordinator was there a moment ago, so it is a node that is away: other lanes may not need it.
            Err(error @ StoreError::Unavailable(_)) if queue.store().tables() == Tables::Distributed => {
                failure = Some(error);
            }
            Err(error) => return Err(error.into()),
        }
    }
    failure.map_or(Ok(Step::Idle), |error| Err(error.into()))
}

/// Folds as large a window of a lane as can be folded, or its oldest batch one by one; then compacts what has grown by it.
async fn step_lane(queue: &Queue, clock: &Clock, ripe: RipeLane) -> Result<Step, StoreError> {
    let (store, lane) = (queue.store(), ripe.lane);
    let mut window = MAX_WINDOW;
    let folded = loop {
        match fold_window(queue, ripe, &window).await {
            Err(StoreError::BadValue(reason)) if window.rows > 1 => {
                tracing::warn!(
                    lane,
                    reason,
                    "a window of lane {lane} cannot be folded, trying a narrower one"
                );
                // In a few strides down to the oldest batch: what stands in front of the fault is soon folded, and a
                // long backlog is not folded in vain for each of its batches.
                window = Window {
                    heartbeats: (window.heartbeats / WINDOW_STRIDE).max(1),
                    watched_secs: (window.watched_secs / WINDOW_STRIDE).max(1),
                    rows: (window.rows / WINDOW_STRIDE).max(1),
                };
            }
            Err(StoreError::BadValue(_)) => break fold_one_by_one(queue, clock, ripe).await?,
            outcome => break outcome?,
        }
    };
    views::metrics::METRICS.folded(&folded.views);
    regions::remember(folded.learned);
    // Behind the commit, in transactions of their own: who dies here has lost nothing, and the next multiple of the
    // trigger compacts it.
    for VideoDay { video_id, captured_on } in &folded.grown {
        if let Err(error) = compaction::compact_hot(store, video_id, *captured_on).await {
            tracing::warn!(%error, %captured_on, "a video that has grown is not compacted yet: {error}");
            if let Err(error) = store.rearm_growth(video_id, *captured_on).await {
                tracing::warn!(%error, %captured_on, "nor is it tried again before it has grown as much again: {error}");
            }
        }
    }
    Ok(folded.step)
}

/// What a fold did, and the video-days that are to be compacted at once.
struct Folded {
    step: Step,
    grown: Vec<VideoDay>,
    views: FoldedViews,
    learned: Learned,
}

impl Folded {
    const IDLE: Folded = Folded {
        step: Step::Idle,
        grown: Vec::new(),
        views: FoldedViews { rows: 0, views: 0, counted: 0, trending: 0 },
        learned: Learned::NOTHING,
    };
}

/// Works until told to stop; the step under way is finished, what is still queued waits for the next worker.
pub async fn run(queue: Queue, clock: Clock, wait: Duration, stop: CancellationToken) {
    while !stop.is_cancelled() {
        let started = Instant::now();
        let outcome = step(&queue, &clock, wait).await;
        METRICS.step(&outcome, started.elapsed());
        let pause = match outcome {
            Ok(Step::Folded { heartbeats, rows, failed }) => {
                tracing::debug!(heartbeats, rows, failed, "folded {heartbeats} heartbeats into {rows} rows");
                continue;
            }
            Ok(Step::Idle) => IDLE_PAUSE,
            Err(error) => {
                tracing::warn!(%error, "step failed, its batches stay in the queue: {error}");
                AWAY_PAUSE
            }
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// Keeps the queue in order until told to stop: the heads of the table's lanes close to their oldest rows, so that no step walks
/// over rows that are folded and that a reader with an old snapshot keeps; a stream without what is folded for good.
pub async fn tidy_queue(queue: Queue, stop: CancellationToken) {
    let mut looked_at_all = Instant::now();
    loop {
        let from_the_start = looked_at_all.elapsed() >= WHOLE_TIDY_PERIOD;
        match queue.tidy(from_the_start).await {
            Ok(_) if from_the_start => looked_at_all = Instant::now(),
            Ok(_) => {}
            Err(error) => tracing::debug!(%error, "the queue stays as it is: {error}"),
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(TIDY_PERIOD) => {}
        }
    }
}

/// Folds everything that was in the queue at the start; waits for what somebody else is folding.
pub async fn run_once(queue: impl Into<Queue>, clock: &Clock) -> Result<u64, QueueError> {
    let queue = queue.into();
    let mark = queue.mark().await?;
    let mut folded = 0;
    // Also what a host whose clock is ahead has accepted.
    let all = Ripe { accepted_by: DateTime::<Utc>::MAX_UTC, heartbeats: 0 };
    while !queue.is_folded(&mark).await? {
        match step_ripe(&queue, clock, all).await? {
            Step::Folded { heartbeats, .. } => folded += heartbeats as u64,
            Step::Idle if queue.is_folded(&mark).await? => {}
            Step::Idle => tokio::time::sleep(IDLE_PAUSE).await,
        }
    }
    Ok(folded)
}

async fn fold_window(queue: &Queue, ripe: RipeLane, window: &Window) -> Result<Folded, StoreError> {
    let store = queue.store();
    store
        .run_tx("fold_window", |tx| {
            async move {
                if !claim::try_lock_lane(tx, ripe.lane).await? {
                    return Ok(Folded::IDLE);
                }
                shards::prepare_fold(tx, store.tables()).await?;
                let batches = queue.claim(tx, ripe, window).await?;
                if batches.is_empty() {
                    return Ok(Folded::IDLE);
                }
                let entries = claim::entries(&batches)?;
                let Appended { rows, grown, views, learned } = append(store, tx, &entries).await?;
                let step = Step::Folded { heartbeats: entries.len(), rows, failed: 0 };
                Ok(Folded { step, grown, views, learned })
            }
            .scope_boxed()
        })
        .await
}

/// Folds a lane's oldest batch heartbeat by heartbeat and sets aside what cannot be folded even alone.
async fn fold_one_by_one(queue: &Queue, clock: &Clock, ripe: RipeLane) -> Result<Folded, StoreError> {
    let (store, lane) = (queue.store(), ripe.lane);
    store
        .run_tx("fold_one_by_one", |tx| {
            async move {
                if !claim::try_lock_lane(tx, lane).await? {
                    return Ok(Folded::IDLE);
                }
                shards::prepare_fold(tx, store.tables()).await?;
                let Oldest { batches, unreadable } = queue.claim_oldest(tx, ripe, clock.now()).await?;
                if unreadable > 0 {
                    tracing::error!(lane, "a batch of lane {lane} is set aside, nobody can read it");
                }
                let (mut all, mut failed) = (Appended::default(), Vec::new());
                let entries = claim::entries(&batches)?;
                if entries.is_empty() && unreadable == 0 {
                    return Ok(Folded::IDLE);
                }
                for entry in &entries {
                    match in_savepoint(tx, append(store, tx, &[*entry])).await {
                        Ok(Appended { rows, grown, views, learned }) => {
                            all.rows += rows;
                            all.grown.extend(grown);
                            all.views.add(views);
                            all.learned.extend(learned);
                        }
                        Err(StoreError::BadValue(reason)) => {
                            failed::insert_failed(tx, entry, &reason, clock.now()).await?;
                            failed.push(set_aside(entry));
                        }
                        Err(error) => return Err(error),
                    }
                }
                ledger::store::add_in(tx, &failed).await?;
                let failed = failed.len();
                tracing::error!(lane, failed, "{failed} heartbeats set aside in heartbeat_queue_failed");
                let Appended { rows, grown, views, learned } = all;
                let heartbeats = entries.len() + unreadable;
                let step = Step::Folded { heartbeats, rows, failed: failed + unreadable };
                Ok(Folded { step, grown, views, learned })
            }
            .scope_boxed()
        })
        .await
}

/// Returns what the ledger says of an entry that could not be folded.
fn set_aside<'a>(entry: &Entry<'a>) -> Added<'a> {
    let element = match entry {
        Entry::Heartbeat(_) => Element::Heartbeat,
        Entry::View(_) => Element::View,
    };
    Added { video_id: entry.video_id(), day: entry.day(), element, outcome: SET_ASIDE, elements: 1 }
}
