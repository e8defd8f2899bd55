//! Tables `video_heatmap_shards` and `video_heatmap_whole_shards`.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use deadpool_postgres::Transaction;
use scoped_futures::ScopedFutureExt;
use tokio_postgres::Row;

use super::sql;
use crate::heatmap::fold::{Run, Whole};
use crate::postgres::{Store, StoreError, execute, query};

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

/// A part of a run: its number among the runs, its first and its last second.
type Stretch = (usize, i32, i32);

/// Unites runs, which must not overlap, with the rows of a shard: each of their seconds is a row that is written.
pub(crate) async fn upsert_runs(
    tx: &Transaction<'_>,
    shard: u16,
    runs: &[Run<'_>],
) -> Result<(), StoreError> {
    let all = runs.iter().enumerate().map(|(index, run)| (index, run.start_sec, run.end_sec)).collect();
    let rows = write_runs(tx, sql::UPDATE_RUNS, shard, runs, all).await?;
    let row = |row: &Row| -> Result<_, StoreError> {
        Ok((row.try_get::<_, i64>("ordinal")? as usize - 1, row.try_get("bucket_sec")?))
    };
    let mut updated: Vec<(usize, i32)> = rows.iter().map(row).collect::<Result<_, _>>()?;
    updated.sort_unstable();
    let missing = missing(runs, &updated);
    if !missing.is_empty() {
        write_runs(tx, sql::INSERT_RUNS, shard, runs, missing).await?;
    }
    Ok(())
}

/// Runs one of the two statements that write stretches of runs.
async fn write_runs(
    tx: &Transaction<'_>,
    statement: &str,
    shard: u16,
    runs: &[Run<'_>],
    stretches: Vec<Stretch>,
) -> Result<Vec<Row>, StoreError> {
    let of = || stretches.iter().map(|&(index, _, _)| &runs[index]);
    let videos: Vec<&str> = of().map(|run| run.key.video_id).collect();
    let days: Vec<NaiveDate> = of().map(|run| run.key.captured_on).collect();
    let regions: Vec<&str> = of().map(|run| run.key.region).collect();
    let first_secs: Vec<i32> = stretches.iter().map(|&(_, start_sec, _)| start_sec).collect();
    let last_secs: Vec<i32> = stretches.iter().map(|&(_, _, end_sec)| end_sec).collect();
    let sketches: Vec<&[u8]> = of().map(|run| run.viewers.as_slice()).collect();
    let plays: Vec<i64> = of().map(|run| run.plays).collect();
    query(
        tx,
        statement,
        &[&(shard as i16), &videos, &days, &regions, &first_secs, &last_secs, &sketches, &plays],
    )
    .await
}

/// What is left of the runs without the seconds that were updated, which ascend by run and second.
fn missing(runs: &[Run<'_>], updated: &[(usize, i32)]) -> Vec<Stretch> {
    let mut stretches = Vec::new();
    let mut updated = updated.iter().copied().peekable();
    for (index, run) in runs.iter().enumerate() {
        let mut start_sec = run.start_sec;
        while let Some((_, second)) = updated.next_if(|&(of, _)| of == index) {
            if start_sec < second {
                stretches.push((index, start_sec, second - 1));
            }
            start_sec = second + 1;
        }
        if start_sec <= run.end_sec {
            stretches.push((index, start_sec, run.end_sec));
        }
    }
    stretches
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::heatmap::fold::Key;

    #[test]
    fn what_was_updated_is_not_inserted() {
        let day = NaiveDate::from_ymd_opt(2026, 11, 21).expect("a day");
        let key = Key { video_id: "v", captured_on: day, region: "JP" };
        let run = |start_sec, end_sec| Run { key, start_sec, end_sec, viewers: vec![], plays: 1 };
        let runs = [run(0, 9), run(10, 10), run(11, 12), run(20, 29)];
        assert_eq!(missing(&runs, &[]), [(0, 0, 9), (1, 10, 10), (2, 11, 12), (3, 20, 29)]);
        let updated = [(0, 0), (0, 4), (0, 5), (0, 9), (1, 10), (3, 21), (3, 29)];
        assert_eq!(missing(&runs, &updated), [(0, 1, 3), (0, 6, 8), (2, 11, 12), (3, 20, 20), (3, 22, 28)]);
        let updated: Vec<_> = (0..10).map(|second| (0, second)).chain([(2, 11)]).collect();
        assert_eq!(missing(&runs, &updated), [(1, 10, 10), (2, 12, 12), (3, 20, 29)]);
    }
}
