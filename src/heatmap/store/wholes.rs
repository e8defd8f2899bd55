//! Tables `video_heatmap_whole` and `video_heatmap_bounds`, and the shard rows that become theirs.

use std::{collections::HashMap, pin::pin};

use chrono::NaiveDate;
use futures_util::TryStreamExt;

use super::{pieces::ShardKey, sql};
use crate::postgres::{StoreError, Transaction, execute, query, query_stream, sketches::Sketch};

/// A video and a region, `GLOBAL` too.
pub(crate) type WholeKey = (String, String);

/// A whole video on one day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WholeRow {
    /// Its last watched second.
    pub(crate) last_sec: i32,
    /// The sketch of the viewers of any second.
    pub(crate) viewers: Vec<u8>,
    /// The plays of all seconds.
    pub(crate) plays: i64,
    /// The heartbeats that were folded.
    pub(crate) heartbeats: i64,
}

/// The keys of the next shard rows of a day behind a key, ascending.
pub(crate) async fn peek(
    tx: &Transaction<'_>,
    day: NaiveDate,
    behind: &ShardKey,
    max_rows: u64,
) -> Result<Vec<WholeKey>, StoreError> {
    let most = max_rows as i64;
    let rows = query(tx, sql::PEEK_WHOLES, &[&day, &behind.video_id, &behind.region, &most]).await?;
    rows.iter().map(|row| Ok((row.try_get("video_id")?, row.try_get("region")?))).collect()
}

/// The keys of the next shard rows of a video and a day behind a region, ascending.
pub(crate) async fn peek_video(
    tx: &Transaction<'_>,
    day: NaiveDate,
    video_id: &str,
    behind: &str,
    max_rows: u64,
) -> Result<Vec<WholeKey>, StoreError> {
    let most = max_rows as i64;
    let rows = query(tx, sql::PEEK_VIDEO_WHOLES, &[&day, &video_id, &behind, &most]).await?;
    rows.iter().map(|row| Ok((row.try_get("video_id")?, row.try_get("region")?))).collect()
}

/// Takes the shard rows of these videos behind one key and up to another.
pub(crate) async fn take(
    tx: &Transaction<'_>,
    day: NaiveDate,
    behind: &ShardKey,
    end: &WholeKey,
    videos: &[&str],
) -> Result<Vec<(WholeKey, WholeRow)>, StoreError> {
    let parameters: &[&(dyn tokio_postgres::types::ToSql + Sync)] =
        &[&day, &behind.video_id, &behind.region, &end.0, &end.1, &videos];
    let mut taken = Vec::new();
    let mut rows = pin!(query_stream(tx, sql::TAKE_WHOLES, parameters).await?);
    while let Some(row) = rows.try_next().await? {
        taken.push(whole(&row)?);
    }
    Ok(taken)
}

/// The canonical rows of videos on a day.
pub(crate) async fn read(
    tx: &Transaction<'_>,
    day: NaiveDate,
    videos: &[&str],
) -> Result<HashMap<WholeKey, WholeRow>, StoreError> {
    let mut found = HashMap::new();
    let mut rows = pin!(query_stream(tx, sql::READ_WHOLES, &[&day, &videos]).await?);
    while let Some(row) = rows.try_next().await? {
        let (key, row) = whole(&row)?;
        found.insert(key, row);
    }
    Ok(found)
}

/// Writes canonical rows over those that are there.
pub(crate) async fn write(
    tx: &Transaction<'_>,
    day: NaiveDate,
    rows: &[(&WholeKey, WholeRow)],
) -> Result<(), StoreError> {
    let videos: Vec<&str> = rows.iter().map(|((video_id, _), _)| video_id.as_str()).collect();
    let regions: Vec<&str> = rows.iter().map(|((_, region), _)| region.as_str()).collect();
    let last_secs: Vec<i32> = rows.iter().map(|(_, row)| row.last_sec).collect();
    let sketches: Vec<&[u8]> = rows.iter().map(|(_, row)| row.viewers.as_slice()).collect();
    let plays: Vec<i64> = rows.iter().map(|(_, row)| row.plays).collect();
    let heartbeats: Vec<i64> = rows.iter().map(|(_, row)| row.heartbeats).collect();
    execute(tx, sql::WRITE_WHOLES, &[&day, &videos, &regions, &last_secs, &sketches, &plays, &heartbeats])
        .await?;
    Ok(())
}

/// Raises the bounds of a month by the viewers that were added.
pub(crate) async fn raise_bounds(
    tx: &Transaction<'_>,
    month: NaiveDate,
    added: &[(&WholeKey, u64)],
) -> Result<(), StoreError> {
    let videos: Vec<&str> = added.iter().map(|((video_id, _), _)| video_id.as_str()).collect();
    let regions: Vec<&str> = added.iter().map(|((_, region), _)| region.as_str()).collect();
    let viewers: Vec<i64> = added.iter().map(|(_, viewers)| *viewers as i64).collect();
    execute(tx, sql::RAISE_BOUNDS, &[&month, &videos, &regions, &viewers]).await?;
    Ok(())
}

fn whole(row: &tokio_postgres::Row) -> Result<(WholeKey, WholeRow), StoreError> {
    let Sketch(viewers) = row.try_get("viewers")?;
    let whole = WholeRow {
        last_sec: row.try_get("last_sec")?,
        viewers: viewers.to_vec(),
        plays: row.try_get("plays")?,
        heartbeats: row.try_get("heartbeats")?,
    };
    Ok(((row.try_get("video_id")?, row.try_get("region")?), whole))
}
