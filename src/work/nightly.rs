//! The nightly job: one run keeps the database in order.
//!
//! In this order: destroy the salts that nobody may use any more; say what is kept, so that nobody reads a half-removed
//! day; compact the closed days; remove what is not kept; count
//! the closed epochs. A job that dies is simply run again.

use chrono::{Days, NaiveDate};

use crate::{
    audience,
    clock::Clock,
    counters,
    heatmap::compaction::{self, CompactionError, drop_when_free},
    postgres::{Store, StoreError},
    queue::batch_ids::{REPLAY_MEMORY, Ring},
    viewers::salt,
    views,
};

/// Videos whose old rows are removed, or whose epochs are counted, in one transaction.
const MAX_PIECE_VIDEOS: u64 = 10;
/// Days of videos that are thinned in one transaction.
const MAX_PIECE_DAYS: u64 = 20;
/// Days back from today in which an epoch that ended is looked at every night.
const RECOUNTED_DAYS: u64 = 7;
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

/// Does it all; compacts through `through`, inclusive. `progress` hears how many shard rows each piece moved.
pub async fn run(
    store: &Store,
    clock: &Clock,
    through: NaiveDate,
    keep: Keep,
    progress: impl FnMut(u64),
) -> Result<Summary, CompactionError> {
    // Each runs whatever becomes of the others.
    let destroyed_salts = salt::destroy(store, clock).await;
    let counters = counters::nightly::run(store, clock).await;
    if let Err(error) = &counters {
        tracing::error!(%error, "the night of the counters failed, the next one goes on with the rest: {error}");
    }
    let sample_days = [keep.sample_days, keep.days].into_iter().flatten().min();
    let audience = audience::nightly::run(store, clock, sample_days).await;
    if let Err(error) = &audience {
        tracing::error!(%error, "the night of the audience failed, the next one goes on with the rest: {error}");
    }
    let first_day = |days: Option<u32>| days.map(|days| clock.today() - Days::new(days.into()));
    store.advance_retention(first_day(keep.days), first_day(keep.fine_days)).await?;
    let recent_days = keep.recent_days.unwrap_or(views::archive::RECENT_DAYS);
    let views = views::nightly::run(store, clock, recent_days).await;
    if let Err(error) = &views {
        tracing::error!(%error, "the night of the views failed, the next one goes on with the rest: {error}");
    }
    let mut summary =
        Summary { compacted: compaction::run(store, through, progress).await?, ..Summary::default() };
    store.delete_unkept_failed().await?;
    let dropped = drop_when_free(|| store.drop_unkept_partitions()).await?;
    summary.dropped_partitions = dropped.unwrap_or(0);
    let mut behind = String::new();
    while let Some((last, rows)) = store.delete_unkept(&behind, MAX_PIECE_VIDEOS).await? {
        summary.deleted_rows += rows;
        behind = last;
    }
    let mut behind = (String::new(), NaiveDate::default());
    while let Some((last, rows)) = store.delete_fine(&behind, MAX_PIECE_DAYS).await? {
        summary.thinned_rows += rows;
        behind = last;
    }
    store.rotate_batch_ids(Ring::Replay, REPLAY_MEMORY, clock.now()).await?;
    // Last, as strips are right without.
    count_epochs(store, clock.today(), summary.compacted.first_day).await?;
    summary.destroyed_salts = destroyed_salts?;
    summary.counters = counters?;
    summary.views = views?;
    summary.audience = audience?;
    Ok(summary)
}

/// Counts the closed salt epochs that this run may have changed, and those of the last days in case the run before died.
async fn count_epochs(
    store: &Store,
    today: NaiveDate,
    changed_from: Option<NaiveDate>,
) -> Result<(), StoreError> {
    let since = today - Days::new(RECOUNTED_DAYS);
    let since = changed_from.map_or(since, |changed_from| changed_from.min(since));
    for epoch in store.closed_epochs(today, since).await? {
        let mut behind = String::new();
        while let Some(last) = store.count_epoch(epoch, &behind, MAX_PIECE_VIDEOS).await? {
            behind = last;
        }
    }
    Ok(())
}
