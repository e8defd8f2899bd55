//! Compaction: shard runs become canonical runs, and popular blocks rows of seconds and their levels.
//!
//! A step moves one bounded piece in one transaction, so that a day of any size takes constant memory and a job that dies
//! leaves nothing half done: what it moved stays moved, and the next run goes on with the rest. Reads unite all forms on one
//! snapshot, so no strip changes by it.
//!
//! The night compacts closed days; a worker compacts a video-day that has grown by much at once. Both may be at the same
//! video-day: the lock of the video keeps their transactions apart, and a row that one has taken is not there for the other.

use std::time::Duration;

use chrono::NaiveDate;
use scoped_futures::ScopedFutureExt;

use crate::{
    heatmap::store::{
        canonical, locks,
        pieces::{self, Limits, Rows, ShardKey},
        shards,
    },
    postgres::{Store, StoreError, Tables},
};

macro_rules! crash_point {
    ($name:literal) => {
        fail::fail_point!($name, |_| std::process::abort())
    };
}

mod by_video;
mod piece;
mod whole;

pub use crate::heatmap::store::canonical::NightLock;

/// The bounds of a piece: some 25 MB when all sketches are dense, a row for each second of a spread block, and the locks of
/// as many videos, of which the server has room for some thousand.
pub const PIECE: Limits = Limits { rows: 10_000, seconds: 1_000_000, videos: 500 };
/// How long to wait for another compaction to end.
const MAX_WAIT_FOR_OTHER: Duration = Duration::from_secs(60);
/// The pause between two looks whether it has ended.
const WAIT_PERIOD: Duration = Duration::from_millis(500);
/// The most passes over the shard rows of a day: under traffic the open day always has new ones.
const MAX_PASSES: u32 = 3;

/// The places where a test may let the process die, by `FAILPOINTS=name=return`. They lie between any two lines that change
/// something.
pub const CRASH_POINTS: &[&str] = &[
    "compaction::taken",
    "compaction::uncounted",
    "compaction::deleted",
    "compaction::written",
    "compaction::spread",
    "compaction::gathered",
    "compaction::level",
    "compaction::region",
    "compaction::levels",
    "compaction::wholes_taken",
    "compaction::bounds_raised",
    "compaction::wholes_written",
    "compaction::moved",
    "compaction::committed",
    "compaction::pass",
    "compaction::emptied",
    "compaction::shrunk",
    "compaction::dropped",
];

/// The outcome of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// It moved a piece.
    Moved(Piece),
    /// There is nothing from the key on.
    Done,
}

/// The rows that a piece moved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// Shard rows moved; none if somebody else moved them first.
    pub rows: u64,
    /// The key of the last row; the next piece goes on from there.
    pub end: ShardKey,
}

/// The work that a run did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Summary {
    /// Shard rows moved, of seconds and of whole videos.
    pub rows: u64,
    /// The number of days that had shard rows.
    pub days: u64,
    /// The first day that had some.
    pub first_day: Option<NaiveDate>,
    /// Days whose empty partitions were dropped.
    pub dropped: u64,
}

/// A run ended early for one of these reasons.
#[derive(Debug, thiserror::Error)]
pub enum CompactionError {
    /// Another compaction did not end in time.
    #[error("another compaction has been running for {} s: let it end, or stop it", MAX_WAIT_FOR_OTHER.as_secs())]
    Busy,
    /// The database did not do its part.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Moves one piece of a day's shard rows: the next ones from a key on.
pub async fn step(
    store: &Store,
    rows: Rows,
    day: NaiveDate,
    from: &ShardKey,
    limits: Limits,
) -> Result<Step, StoreError> {
    step_of(store, rows, day, None, from, limits).await
}

/// Moves a piece as [`step`] does; of this video, if one is named. Where the tables are distributed a piece has one video always:
/// where rows lie says which they are at one node only.
async fn step_of(
    store: &Store,
    rows: Rows,
    day: NaiveDate,
    video_id: Option<&str>,
    from: &ShardKey,
    limits: Limits,
) -> Result<Step, StoreError> {
    let tables = store.tables();
    let limits = match tables {
        Tables::Local => limits,
        Tables::Distributed => Limits { videos: 1, ..limits },
    };
    store
        .run_tx("compact", |tx| {
            async move {
                canonical::prepare(tx).await?;
                let piece = match rows {
                    Rows::Whole => whole::move_wholes(tx, tables, day, video_id, from, limits)
                        .await?
                        .map(|(rows, end)| Piece { rows, end }),
                    Rows::Runs | Rows::Seconds => {
                        let peeked = match video_id {
                            Some(video_id) if rows == Rows::Runs => {
                                pieces::peek_video(tx, day, video_id, from.second, limits).await?
                            }
                            _ => pieces::peek(tx, rows, day, from, limits).await?,
                        };
                        match &peeked.end {
                            None => None,
                            Some(end) => {
                                let videos = peeked.videos.iter().map(|video_id| (video_id.as_str(), day));
                                locks::lock_video_days(tx, &Vec::from_iter(videos)).await?;
                                for video_id in &peeked.videos {
                                    locks::lock_on_node(tx, tables, video_id).await?;
                                }
                                let moved = piece::move_runs(tx, rows, day, &peeked).await?;
                                Some(Piece { rows: moved, end: end.clone() })
                            }
                        }
                    }
                };
                crash_point!("compaction::moved");
                Ok(piece.map_or(Step::Done, Step::Moved))
            }
            .scope_boxed()
        })
        .await
}

/// Moves all shard runs of a video-day that has grown by many, never whole videos; returns how many. Nobody is waited for: if
/// somebody is at the video, the next step that appends to it tries again, or a strip would have to unite ever more.
pub async fn compact_hot(store: &Store, video_id: &str, day: NaiveDate) -> Result<u64, StoreError> {
    store.ensure_canonical_partition(day).await?;
    let mut moved = 0;
    let mut first_sec = 0;
    loop {
        let piece = store
            .run_tx("compact_hot", |tx| {
                async move {
                    canonical::prepare(tx).await?;
                    if !locks::try_lock_video(tx, video_id, day).await? {
                        shards::rearm_growth(tx, video_id, day).await?;
                        return Ok(None);
                    }
                    locks::lock_on_node(tx, store.tables(), video_id).await?;
                    let peeked = pieces::peek_video(tx, day, video_id, first_sec, PIECE).await?;
                    let Some(end) = &peeked.end else { return Ok(None) };
                    let rows = piece::move_runs(tx, Rows::Runs, day, &peeked).await?;
                    crash_point!("compaction::hot_moved");
                    Ok(Some((rows, end.second)))
                }
                .scope_boxed()
            })
            .await?;
        let Some((rows, last_sec)) = piece else { return Ok(moved) };
        crash_point!("compaction::hot_committed");
        moved += rows;
        first_sec = last_sec;
    }
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
    run_locked(store, through, &mut progress, &mut summary).await?;
    Ok(summary)
}

/// Compacts as [`run`] does, for somebody who has the lock; adds to `summary` what it did, also when it fails.
pub async fn run_locked(
    store: &Store,
    through: NaiveDate,
    progress: &mut impl FnMut(u64),
    summary: &mut Summary,
) -> Result<(), CompactionError> {
    for day in store.shard_days().await? {
        if day > through {
            break;
        }
        store.ensure_canonical_partition(day).await?;
        let moved = compact_day(store, day, progress).await?;
        summary.rows += moved;
        if moved > 0 {
            summary.days += 1;
            summary.first_day = summary.first_day.or(Some(day));
        }
        crash_point!("compaction::emptied");
        store.delete_growth(day).await?;
        crash_point!("compaction::shrunk");
        summary.dropped += u64::from(store.drop_shard_partition(day).await?);
        crash_point!("compaction::dropped");
    }
    Ok(())
}

/// The lock that keeps two jobs from doing the same work, once another has ended. Correctness does not depend on it.
pub async fn lock(store: &Store) -> Result<NightLock, CompactionError> {
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
    for kind in [Rows::Runs, Rows::Seconds, Rows::Whole] {
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
    // No earlier version has written to distributed tables.
    match store.tables() {
        Tables::Distributed if kind == Rows::Seconds => return Ok(0),
        Tables::Distributed => return by_video::pass(store, kind, day, progress).await,
        Tables::Local => {}
    }
    let mut rows = 0;
    let mut from = ShardKey::first();
    while let Step::Moved(piece) = step(store, kind, day, &from, PIECE).await? {
        crash_point!("compaction::committed");
        rows += piece.rows;
        progress(piece.rows);
        from = piece.end;
    }
    Ok(rows)
}
