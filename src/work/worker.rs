//! The worker: takes heartbeats out of the queue, folds them, and unites them with the shard rows, in one transaction a
//! step: a crash anywhere rolls all of it back, so nothing is lost and nothing counts twice.

use std::time::{Duration, Instant};

use scoped_futures::ScopedFutureExt;
use tokio_util::sync::CancellationToken;

use crate::{
    clock::Clock,
    events::{hashed::HashedHeartbeats, heartbeat::MAX_SEC},
    heatmap::{
        fold::{Run, fold},
        store::shards,
    },
    postgres::{Store, StoreError, Transaction, in_savepoint},
    queue,
    work::metrics::METRICS,
};

/// Heartbeats a step claims at most. The larger the window, the fewer rows are written twice; 100,000 fold in a few tens
/// of milliseconds and take some 20 MB.
const MAX_STEP_HEARTBEATS: u64 = 100_000;
/// Queue rows a step claims at most; a row may hold a single heartbeat.
const MAX_STEP_BATCHES: u64 = 20_000;
/// How much narrower the next window is when one cannot be folded.
const WINDOW_STRIDE: u64 = 8;
/// Rows one upsert statement writes at most, so that neither side holds a window's rows at once.
const MAX_UPSERT_ROWS: u64 = 50_000;
/// How long a worker with nothing to do waits before it looks again.
const IDLE_PAUSE: Duration = Duration::from_millis(200);
/// How long a worker waits when Postgres is away.
const AWAY_PAUSE: Duration = Duration::from_secs(1);

/// What a step did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// It folded this many heartbeats.
    Folded {
        /// Heartbeats taken out of the queue.
        heartbeats: usize,
        /// Rows written.
        rows: u64,
        /// Heartbeats that could not be folded and were set aside.
        failed: usize,
    },
    /// There was nothing to fold, or others are at it.
    Idle,
}

/// What a transaction may take out of the queue.
struct Window {
    lane: u16,
    max_heartbeats: u64,
    max_batches: u64,
}

/// Folds the window of one free lane. A lane that cannot be worked on does not keep the others waiting.
pub async fn step(store: &Store, clock: &Clock) -> Result<Step, StoreError> {
    let mut failure = None;
    for (lane, _) in store.busy_lanes().await? {
        match step_lane(store, clock, lane).await {
            Ok(Step::Idle) => {}
            Ok(folded) => return Ok(folded),
            Err(error @ (StoreError::Refused(_) | StoreError::Conflict(_))) => failure = Some(error),
            Err(error) => return Err(error),
        }
    }
    failure.map_or(Ok(Step::Idle), Err)
}

/// Folds as large a window of a lane as can be folded, or its oldest batch one by one.
async fn step_lane(store: &Store, clock: &Clock, lane: u16) -> Result<Step, StoreError> {
    let mut window = Window { lane, max_heartbeats: MAX_STEP_HEARTBEATS, max_batches: MAX_STEP_BATCHES };
    loop {
        match fold_window(store, &window).await {
            Err(StoreError::BadValue(reason)) if window.max_batches > 1 => {
                tracing::warn!(
                    lane,
                    reason,
                    "a window of lane {lane} cannot be folded, trying a narrower one"
                );
                // In a few strides down to the oldest batch: what stands in front of the fault is soon folded, and a
                // long backlog is not folded in vain for each of its batches.
                window.max_heartbeats = (window.max_heartbeats / WINDOW_STRIDE).max(1);
                window.max_batches = (window.max_batches / WINDOW_STRIDE).max(1);
            }
            Err(StoreError::BadValue(_)) => return fold_one_by_one(store, clock, &window).await,
            outcome => return outcome,
        }
    }
}

/// Works until told to stop; the step under way is finished, what is still queued waits for the next worker.
pub async fn run(store: Store, clock: Clock, stop: CancellationToken) {
    while !stop.is_cancelled() {
        let started = Instant::now();
        let outcome = step(&store, &clock).await;
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

/// Folds everything that was in the queue at the start; waits for what somebody else is folding.
pub async fn run_once(store: &Store, clock: &Clock) -> Result<u64, StoreError> {
    let Some(last_id) = store.queue_depth().await?.last_id else {
        return Ok(0);
    };
    let mut folded = 0;
    while store.busy_lanes().await?.iter().any(|&(_, oldest)| oldest <= last_id) {
        match step(store, clock).await? {
            Step::Folded { heartbeats, .. } => folded += heartbeats as u64,
            Step::Idle => tokio::time::sleep(IDLE_PAUSE).await,
        }
    }
    Ok(folded)
}

async fn fold_window(store: &Store, window: &Window) -> Result<Step, StoreError> {
    store
        .run_tx("fold_window", |tx| {
            async move {
                if !queue::try_lock_lane(tx, window.lane).await? {
                    return Ok(Step::Idle);
                }
                shards::prepare_fold(tx).await?;
                let batches =
                    queue::claim_batches(tx, window.lane, window.max_heartbeats, window.max_batches).await?;
                if batches.is_empty() {
                    return Ok(Step::Idle);
                }
                let mut heartbeats = HashedHeartbeats::default();
                for batch in batches {
                    heartbeats.append(batch);
                }
                store.ensure_shard_partitions(&heartbeats.captured_on.iter().copied().collect()).await?;
                let rows = unite(tx, window.lane, &heartbeats).await?;
                Ok(Step::Folded { heartbeats: heartbeats.len(), rows, failed: 0 })
            }
            .scope_boxed()
        })
        .await
}

/// Folds the batches of a window heartbeat by heartbeat and sets aside what cannot be folded even alone.
async fn fold_one_by_one(store: &Store, clock: &Clock, window: &Window) -> Result<Step, StoreError> {
    let lane = window.lane;
    store
        .run_tx("fold_one_by_one", |tx| {
            async move {
                if !queue::try_lock_lane(tx, lane).await? {
                    return Ok(Step::Idle);
                }
                shards::prepare_fold(tx).await?;
                // A row that cannot even be read cannot be claimed.
                let mut failed = queue::set_aside_unreadable(tx, lane, clock.now()).await?;
                let (mut heartbeats, mut rows) = (failed, 0);
                for batch in queue::claim_batches(tx, lane, window.max_heartbeats, window.max_batches).await?
                {
                    for index in 0..batch.len() {
                        let heartbeat = batch.only(index);
                        heartbeats += 1;
                        match in_savepoint(tx, fold_alone(store, tx, lane, &heartbeat)).await {
                            Ok(written) => rows += written,
                            Err(StoreError::BadValue(reason)) => {
                                queue::insert_failed(tx, &heartbeat, &reason, clock.now()).await?;
                                failed += 1;
                            }
                            Err(error) => return Err(error),
                        }
                    }
                }
                tracing::error!(lane, failed, "{failed} heartbeats set aside in heartbeat_queue_failed");
                Ok(Step::Folded { heartbeats, rows, failed })
            }
            .scope_boxed()
        })
        .await
}

async fn fold_alone(
    store: &Store,
    tx: &Transaction<'_>,
    lane: u16,
    heartbeat: &HashedHeartbeats,
) -> Result<u64, StoreError> {
    store.ensure_shard_partitions(&heartbeat.captured_on.iter().copied().collect()).await?;
    unite(tx, lane, heartbeat).await
}

/// Folds heartbeats and unites the runs with the shard's rows; returns how many rows were written.
async fn unite(tx: &Transaction<'_>, lane: u16, heartbeats: &HashedHeartbeats) -> Result<u64, StoreError> {
    // The bounds were checked on arrival; here they keep a row that something else wrote from filling the disk.
    let seconds = heartbeats.start_sec.iter().zip(&heartbeats.end_sec);
    if seconds.clone().any(|(&start, &end)| start < 0 || end < start || i64::from(end) > MAX_SEC) {
        return Err(StoreError::BadValue(format!("seconds outside 0..={MAX_SEC}")));
    }
    let folded = fold(heartbeats);
    let mut rows = shards::upsert_wholes(tx, lane, &folded.wholes).await?;
    let mut rest = folded.runs.as_slice();
    while !rest.is_empty() {
        let (chunk, behind) = rest.split_at(chunk_len(rest));
        shards::upsert_runs(tx, lane, chunk).await?;
        rows += chunk.iter().map(Run::rows).sum::<u64>();
        rest = behind;
    }
    Ok(rows)
}

/// How many of the runs, at least one, make up to [`MAX_UPSERT_ROWS`] rows.
fn chunk_len(runs: &[Run<'_>]) -> usize {
    let mut rows = 0;
    runs.iter()
        .take_while(|run| {
            let fits = rows < MAX_UPSERT_ROWS;
            rows += run.rows();
            fits
        })
        .count()
}
