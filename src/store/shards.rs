//! Tables `video_heatmap_shards` and `video_heatmap_whole_shards`.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use deadpool_postgres::Transaction;
use scoped_futures::ScopedFutureExt;

use super::{Store, StoreError, execute, query, sql};
use crate::fold::{Run, Whole};

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
}

/// Sets a transaction up for folding.
pub(crate) async fn prepare_fold(tx: &Transaction<'_>) -> Result<(), StoreError> {
    Ok(tx.batch_execute(sql::PREPARE_FOLD).await?)
}

/// Unites runs, which must not overlap, with the rows of a shard: each of their seconds is a row that is written.
pub(crate) async fn upsert_runs(
    tx: &Transaction<'_>,
    shard: u16,
    runs: &[Run<'_>],
) -> Result<(), StoreError> {
    let videos: Vec<&str> = runs.iter().map(|run| run.key.video_id).collect();
    let days: Vec<NaiveDate> = runs.iter().map(|run| run.key.captured_on).collect();
    let regions: Vec<&str> = runs.iter().map(|run| run.key.region).collect();
    let first_secs: Vec<i32> = runs.iter().map(|run| run.start_sec).collect();
    let last_secs: Vec<i32> = runs.iter().map(|run| run.end_sec).collect();
    let sketches: Vec<&[u8]> = runs.iter().map(|run| run.viewers.as_slice()).collect();
    let plays: Vec<i64> = runs.iter().map(|run| run.plays).collect();
    execute(
        tx,
        sql::UPSERT_RUNS,
        &[&(shard as i16), &videos, &days, &regions, &first_secs, &last_secs, &sketches, &plays],
    )
    .await?;
    Ok(())
}

/// Unites whole videos with the rows of a shard; returns how many rows were written.
pub(crate) async fn upsert_wholes(
    tx: &Transaction<'_>,
    shard: u16,
    wholes: &[Whole<'_>],
) -> Result<u64, StoreError> {
    let videos: Vec<&str> = wholes.iter().map(|whole| whole.key.video_id).collect();
    let days: Vec<NaiveDate> = wholes.iter().map(|whole| whole.key.captured_on).collect();
    let regions: Vec<&str> = wholes.iter().map(|whole| whole.key.region).collect();
    let last_secs: Vec<i32> = wholes.iter().map(|whole| whole.last_sec).collect();
    let sketches: Vec<&[u8]> = wholes.iter().map(|whole| whole.viewers.as_slice()).collect();
    let plays: Vec<i64> = wholes.iter().map(|whole| whole.plays).collect();
    execute(
        tx,
        sql::UPSERT_WHOLE,
        &[&(shard as i16), &videos, &days, &regions, &last_secs, &sketches, &plays],
    )
    .await
}
