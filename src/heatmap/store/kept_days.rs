//! The removal of rows that are not kept.

use scoped_futures::ScopedFutureExt;
use tokio_postgres::Row;

use super::{closed_epochs, sql};
use crate::postgres::{self, Store, StoreError, Transaction, execute, query};

impl Store {
    /// Drops the partitions whose days are not kept; returns how many.
    pub async fn drop_unkept_partitions(&self) -> Result<u64, StoreError> {
        self.run_tx_once(|tx| {
            async move {
                tx.batch_execute(postgres::sql::PREPARE_DROP).await?;
                execute(tx, sql::DELETE_UNKEPT_BOUNDS, &[]).await?;
                execute(tx, sql::DELETE_UNKEPT_COUNTS, &[]).await?;
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
}

/// For a transaction that removes many rows, while nobody else changes or counts canonical ones.
pub(super) async fn prepare(tx: &Transaction<'_>) -> Result<(), StoreError> {
    tx.batch_execute(sql::PREPARE_NIGHTLY).await?;
    closed_epochs::lock(tx).await
}

fn video_ids(rows: &[Row]) -> Result<Vec<String>, StoreError> {
    rows.iter().map(|row| Ok(row.try_get("video_id")?)).collect()
}
