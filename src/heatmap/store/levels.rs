//! Tables `video_heatmap`, `video_heatmap_5s` and `video_heatmap_60s`: the rows of spread blocks.

use std::{collections::HashMap, pin::pin};

use chrono::NaiveDate;
use futures_util::TryStreamExt;

use super::sql;
use crate::heatmap::{level::Bucket, run::Run};
use crate::postgres::{StoreError, Transaction, execute, query_stream, sketches::Sketch};

/// The rows of a level that belong together.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LevelKey<'a> {
    pub(crate) day: NaiveDate,
    pub(crate) video_id: &'a str,
    /// `GLOBAL` too.
    pub(crate) region: &'a str,
}

/// The rows of a level whose first seconds lie between two seconds, by first second.
pub(crate) async fn read(
    tx: &Transaction<'_>,
    key: LevelKey<'_>,
    level: i32,
    first_sec: i32,
    last_sec: i32,
) -> Result<HashMap<i32, Bucket>, StoreError> {
    let first_sec = first_sec / level * level;
    let mut buckets = HashMap::new();
    let parameters: &[&(dyn tokio_postgres::types::ToSql + Sync)] =
        &[&key.day, &key.video_id, &key.region, &level, &first_sec, &last_sec];
    let mut rows = pin!(query_stream(tx, sql::READ_LEVEL, parameters).await?);
    while let Some(row) = rows.try_next().await? {
        let Sketch(viewers) = row.try_get("viewers")?;
        let bucket_sec = row.try_get("bucket_sec")?;
        let bucket = Bucket {
            bucket_sec,
            last_sec: row.try_get("last_sec")?,
            viewers: viewers.to_vec(),
            plays: row.try_get("plays")?,
        };
        buckets.insert(bucket_sec, bucket);
    }
    Ok(buckets)
}

/// Writes the seconds of stretches.
pub(crate) async fn write_seconds(
    tx: &Transaction<'_>,
    key: LevelKey<'_>,
    stretches: &[Run],
) -> Result<(), StoreError> {
    let first_secs: Vec<i32> = stretches.iter().map(|stretch| stretch.start_sec).collect();
    let last_secs: Vec<i32> = stretches.iter().map(|stretch| stretch.end_sec).collect();
    let sketches: Vec<&[u8]> = stretches.iter().map(|stretch| stretch.viewers.as_slice()).collect();
    let plays: Vec<i64> = stretches.iter().map(|stretch| stretch.plays).collect();
    execute(
        tx,
        sql::WRITE_SECONDS,
        &[&key.day, &key.video_id, &key.region, &first_secs, &last_secs, &sketches, &plays],
    )
    .await?;
    Ok(())
}

/// Writes the rows of a coarser level.
pub(crate) async fn write_buckets(
    tx: &Transaction<'_>,
    key: LevelKey<'_>,
    level: i32,
    buckets: &[Bucket],
) -> Result<(), StoreError> {
    let statement = if level == 5 { sql::WRITE_FIVES } else { sql::WRITE_SIXTIES };
    let first_secs: Vec<i32> = buckets.iter().map(|bucket| bucket.bucket_sec).collect();
    let last_secs: Vec<i32> = buckets.iter().map(|bucket| bucket.last_sec).collect();
    let sketches: Vec<&[u8]> = buckets.iter().map(|bucket| bucket.viewers.as_slice()).collect();
    let plays: Vec<i64> = buckets.iter().map(|bucket| bucket.plays).collect();
    execute(
        tx,
        statement,
        &[&key.day, &key.video_id, &key.region, &first_secs, &last_secs, &sketches, &plays],
    )
    .await?;
    Ok(())
}
