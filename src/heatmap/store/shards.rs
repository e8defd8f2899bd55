//! The tables that the fold writes: `video_heatmap_shards`, `video_heatmap_whole_shards` and `video_heatmap_growth`.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use deadpool_postgres::Transaction;
use scoped_futures::ScopedFutureExt;
use tokio_postgres::Row;

use super::sql;
use crate::{
    heatmap::fold::{Run, Whole},
    postgres::{Store, StoreError, Tables, execute, query},
};

/// Whenever the count of a video-day's appended runs passes a multiple of this, it is compacted at once: a strip never
/// has to unite more than twice as many shard runs.
pub const GROWTH_TRIGGER: i64 = 6_500;
/// Runs that one statement appends at most, so that neither side holds a window's runs at once.
const MAX_APPENDED: usize = 20_000;

/// A video on one UTC day.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct VideoDay {
    pub video_id: String,
    pub captured_on: NaiveDate,
}

impl Store {
    /// Makes sure that these days have partitions to go to, in a short transaction of its own.
    pub async fn ensure_shard_partitions(&self, days: &BTreeSet<NaiveDate>) -> Result<(), StoreError> {
        let days: &Vec<NaiveDate> = &days.iter().copied().collect();
        self.run_tx("ensure_shard_partitions", |tx| {
            async move { query(tx, sql::ENSURE_SHARD_PARTITIONS, &[days]).await }.scope_boxed()
        })
        .await?;
        Ok(())
    }

    /// Lets the next run that is appended to a video-day have it compacted, as it should have been by now.
    pub async fn rearm_growth(&self, video_id: &str, day: NaiveDate) -> Result<(), StoreError> {
        self.run_tx("rearm_growth", |tx| async move { rearm_growth(tx, video_id, day).await }.scope_boxed())
            .await
    }
}

/// Lets the next run that is appended to a video-day have it compacted.
pub(crate) async fn rearm_growth(
    tx: &Transaction<'_>,
    video_id: &str,
    day: NaiveDate,
) -> Result<(), StoreError> {
    execute(tx, sql::REARM_GROWTH, &[&video_id, &day, &GROWTH_TRIGGER]).await?;
    Ok(())
}

/// Sets a transaction up for folding.
pub(crate) async fn prepare_fold(tx: &Transaction<'_>, tables: Tables) -> Result<(), StoreError> {
    Ok(tx.batch_execute(tables.form(sql::PREPARE_FOLD, sql::PREPARE_FOLD_DISTRIBUTED)).await?)
}

/// Appends runs, which come ascending by key; returns the video-days that have grown past a multiple of the trigger.
pub(crate) async fn append_runs(
    tx: &Transaction<'_>,
    tables: Tables,
    runs: &[Run<'_>],
) -> Result<Vec<VideoDay>, StoreError> {
    let statement = tables.form(sql::APPEND_RUNS, sql::APPEND_RUNS_DISTRIBUTED);
    for runs in runs.chunks(MAX_APPENDED) {
        let videos: Vec<&str> = runs.iter().map(|run| run.key.video_id).collect();
        let days: Vec<NaiveDate> = runs.iter().map(|run| run.key.captured_on).collect();
        let regions: Vec<&str> = runs.iter().map(|run| run.key.region).collect();
        let first_secs: Vec<i32> = runs.iter().map(|run| run.start_sec).collect();
        let last_secs: Vec<i32> = runs.iter().map(|run| run.end_sec).collect();
        let sketches: Vec<&[u8]> = runs.iter().map(|run| run.viewers.as_slice()).collect();
        let plays: Vec<i64> = runs.iter().map(|run| run.plays).collect();
        execute(tx, statement, &[&videos, &days, &regions, &first_secs, &last_secs, &sketches, &plays])
            .await?;
    }
    count_growth(tx, runs).await
}

async fn count_growth(tx: &Transaction<'_>, runs: &[Run<'_>]) -> Result<Vec<VideoDay>, StoreError> {
    let video_days: Vec<&[Run<'_>]> = runs
        .chunk_by(|a, b| (a.key.video_id, a.key.captured_on) == (b.key.video_id, b.key.captured_on))
        .collect();
    let videos: Vec<&str> = video_days.iter().map(|runs| runs[0].key.video_id).collect();
    let days: Vec<NaiveDate> = video_days.iter().map(|runs| runs[0].key.captured_on).collect();
    let appended: Vec<i64> = video_days.iter().map(|runs| runs.len() as i64).collect();
    let rows = query(tx, sql::COUNT_GROWTH, &[&videos, &days, &appended, &GROWTH_TRIGGER]).await?;
    let video_day = |row: &Row| -> Result<_, StoreError> {
        Ok(VideoDay { video_id: row.try_get("video_id")?, captured_on: row.try_get("captured_on")? })
    };
    rows.iter().map(video_day).collect()
}

/// Unites whole videos with the rows that are there; returns how many rows were written.
pub(crate) async fn upsert_wholes(tx: &Transaction<'_>, wholes: &[Whole<'_>]) -> Result<u64, StoreError> {
    let videos: Vec<&str> = wholes.iter().map(|whole| whole.key.video_id).collect();
    let days: Vec<NaiveDate> = wholes.iter().map(|whole| whole.key.captured_on).collect();
    let regions: Vec<&str> = wholes.iter().map(|whole| whole.key.region).collect();
    let last_secs: Vec<i32> = wholes.iter().map(|whole| whole.last_sec).collect();
    let sketches: Vec<&[u8]> = wholes.iter().map(|whole| whole.viewers.as_slice()).collect();
    let plays: Vec<i64> = wholes.iter().map(|whole| whole.plays).collect();
    let heartbeats: Vec<i64> = wholes.iter().map(|whole| whole.heartbeats).collect();
    execute(tx, sql::UPSERT_WHOLE, &[&videos, &days, &regions, &last_secs, &sketches, &plays, &heartbeats])
        .await
}
