//! Table `retention`, and the removal of what is not kept.

use chrono::NaiveDate;
use scoped_futures::ScopedFutureExt;
use tokio_postgres::Row;

use super::{Store, StoreError, Transaction, counts, execute, query, sql};
use crate::salt_epoch::Rotation;

/// From which days on rows are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// The first day that is kept.
    pub kept_from: NaiveDate,
    /// The first day that is kept by the second.
    pub fine_from: NaiveDate,
}

/// How much of a video was removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Forgotten {
    /// Canonical rows of every level.
    pub canonical_rows: u64,
    /// Shard rows.
    pub shard_rows: u64,
    /// Heartbeats that waited to be folded.
    pub queued_heartbeats: u64,
    /// Heartbeats that had been set aside.
    pub failed_heartbeats: u64,
}

impl Store {
    /// From which days on rows are kept.
    pub async fn retention(&self) -> Result<Retention, StoreError> {
        self.run_tx("read_retention", |tx| async move { read(tx).await }.scope_boxed()).await
    }

    /// Moves the days from which on rows are kept forward, never back.
    pub async fn advance_retention(
        &self,
        kept_from: Option<NaiveDate>,
        fine_from: Option<NaiveDate>,
    ) -> Result<(), StoreError> {
        self.run_tx("advance_retention", |tx| {
            async move { execute(tx, sql::ADVANCE_RETENTION, &[&kept_from, &fine_from]).await }.scope_boxed()
        })
        .await?;
        Ok(())
    }

    /// Drops the partitions whose days are not kept; returns how many.
    pub async fn drop_unkept_partitions(&self) -> Result<u64, StoreError> {
        self.run_tx_once(|tx| {
            async move {
                tx.batch_execute(sql::PREPARE_DROP).await?;
                execute(tx, sql::DELETE_UNKEPT_BOUNDS, &[]).await?;
                execute(tx, sql::DELETE_UNKEPT_COUNTS, &[]).await?;
                execute(tx, sql::DELETE_UNKEPT_FAILED, &[]).await?;
                // Last, as from here to the end nobody else reads or writes.
                let rows = query(tx, sql::DROP_UNKEPT_PARTITIONS, &[]).await?;
                Ok(rows[0].try_get::<_, i32>("dropped")? as u64)
            }
            .scope_boxed()
        })
        .await
    }

    /// Deletes the canonical rows of up to `max_videos` videos that are not kept; returns how many rows, none when there
    /// are no such videos.
    pub async fn delete_unkept(&self, max_videos: u64) -> Result<Option<u64>, StoreError> {
        let max_videos = max_videos as i64;
        self.run_tx("delete_unkept", |tx| {
            async move {
                prepare(tx).await?;
                let videos = video_ids(&query(tx, sql::READ_UNKEPT_VIDEOS, &[&max_videos]).await?)?;
                if videos.is_empty() {
                    return Ok(None);
                }
                let rows = query(tx, sql::DELETE_UNKEPT, &[&videos]).await?;
                Ok(Some(rows[0].try_get::<_, i64>("rows")? as u64))
            }
            .scope_boxed()
        })
        .await
    }

    /// Thins the videos behind `behind`, up to `max_videos`, to 5 s where they are not kept by the second; returns the
    /// last of them and how many rows went, none when there are no such videos.
    pub async fn delete_fine(
        &self,
        behind: &str,
        max_videos: u64,
    ) -> Result<Option<(String, u64)>, StoreError> {
        let max_videos = max_videos as i64;
        self.run_tx("delete_fine", |tx| {
            async move {
                prepare(tx).await?;
                let mut videos =
                    video_ids(&query(tx, sql::READ_FINE_VIDEOS, &[&behind, &max_videos]).await?)?;
                let rows = execute(tx, sql::DELETE_FINE, &[&videos]).await?;
                Ok(videos.pop().map(|last| (last, rows)))
            }
            .scope_boxed()
        })
        .await
    }

    /// Removes a video's rows everywhere, of one day or of all, in one transaction, while no worker folds its lane.
    pub async fn forget(
        &self,
        video_id: &str,
        lane: u16,
        day: Option<NaiveDate>,
    ) -> Result<Forgotten, StoreError> {
        let (first_day, last_day) =
            day.map_or_else(|| Rotation::Never.span(NaiveDate::default()), |day| (day, day));
        self.run_tx("forget", |tx| {
            async move {
                query(tx, sql::LOCK_LANE, &[&i32::from(lane)]).await?;
                // No piece of a compaction is under way then either: it would bring the rows back.
                prepare(tx).await?;
                let queued = query(tx, sql::FORGET_QUEUED, &[&(lane as i16), &video_id, &day]).await?;
                let rows = query(tx, sql::FORGET_ROWS, &[&video_id, &first_day, &last_day]).await?;
                let count = |row: &Row, name: &str| row.try_get::<_, i64>(name).map(|count| count as u64);
                Ok(Forgotten {
                    canonical_rows: count(&rows[0], "canonical")?,
                    shard_rows: count(&rows[0], "shards")?,
                    queued_heartbeats: count(&queued[0], "heartbeats")?,
                    failed_heartbeats: count(&rows[0], "failed")?,
                })
            }
            .scope_boxed()
        })
        .await
    }
}

/// For a transaction that removes many rows, while nobody else changes or counts canonical ones.
async fn prepare(tx: &Transaction<'_>) -> Result<(), StoreError> {
    tx.batch_execute(sql::PREPARE_NIGHTLY).await?;
    counts::lock(tx).await
}

/// From which days on rows are kept, as this snapshot has it.
pub(super) async fn read(tx: &Transaction<'_>) -> Result<Retention, StoreError> {
    let rows = query(tx, sql::READ_RETENTION, &[]).await?;
    Ok(Retention { kept_from: rows[0].try_get("kept_from")?, fine_from: rows[0].try_get("fine_from")? })
}

fn video_ids(rows: &[Row]) -> Result<Vec<String>, StoreError> {
    rows.iter().map(|row| Ok(row.try_get("video_id")?)).collect()
}
