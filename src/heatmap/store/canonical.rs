//! The partitions of shard and canonical rows, and the lock that keeps two nights apart.

use chrono::NaiveDate;
use scoped_futures::ScopedFutureExt;

use super::{locks, pieces::Rows, sql};
use crate::postgres::{self, Store, StoreError, Transaction, execute, query};

/// The tables of shard rows, with a partition a day.
const SHARD_TABLES: &[&str] =
    &["video_heatmap_whole_shards", "video_heatmap_shards", "video_heatmap_second_shards"];

/// The partitions of one day's shard rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShardDay {
    pub day: NaiveDate,
    /// Bytes on disk, indexes included.
    pub bytes: u64,
    /// About how many runs and rows of seconds, as the statistics have it.
    pub about_rows: u64,
}

/// While it lives, no other night starts.
pub struct NightLock {
    _client: deadpool_postgres::ClientWrapper,
}

impl Store {
    /// The days that have shard partitions, ascending.
    pub async fn shard_days(&self) -> Result<Vec<NaiveDate>, StoreError> {
        self.run_tx("read_shard_days", |tx| {
            async move {
                let rows = query(tx, sql::READ_SHARD_DAYS, &[]).await?;
                rows.iter().map(|row| Ok(row.try_get("day")?)).collect()
            }
            .scope_boxed()
        })
        .await
    }

    /// The videos behind `behind` that have shard rows of a day, ascending, up to `max_videos`.
    pub async fn shard_videos(
        &self,
        rows: Rows,
        day: NaiveDate,
        behind: &str,
        max_videos: u64,
    ) -> Result<Vec<String>, StoreError> {
        let statement = match rows {
            Rows::Whole => sql::READ_WHOLE_SHARD_VIDEOS,
            Rows::Runs | Rows::Seconds => sql::READ_SHARD_VIDEOS,
        };
        let max_videos = max_videos as i64;
        self.run_tx("read_shard_videos", |tx| {
            async move {
                let rows = query(tx, statement, &[&day, &behind, &max_videos]).await?;
                rows.iter().map(|row| Ok(row.try_get("video_id")?)).collect()
            }
            .scope_boxed()
        })
        .await
    }

    /// The days that have shard partitions, ascending, with their sizes.
    pub async fn shard_sizes(&self) -> Result<Vec<ShardDay>, StoreError> {
        let statement = self.tables().form(sql::READ_SHARD_PARTITIONS, sql::CITUS_READ_SHARD_PARTITIONS);
        self.run_tx("read_shard_partitions", |tx| {
            async move {
                let day = |row: &tokio_postgres::Row| -> Result<_, StoreError> {
                    Ok(ShardDay {
                        day: row.try_get("day")?,
                        bytes: row.try_get::<_, i64>("bytes")? as u64,
                        about_rows: row.try_get::<_, i64>("about_rows")? as u64,
                    })
                };
                query(tx, statement, &[]).await?.iter().map(day).collect()
            }
            .scope_boxed()
        })
        .await
    }

    /// Makes sure that a day's canonical rows have partitions to go to.
    pub async fn ensure_canonical_partition(&self, day: NaiveDate) -> Result<(), StoreError> {
        self.run_tx("ensure_canonical_partition", |tx| {
            async move { query(tx, sql::ENSURE_CANONICAL_PARTITION, &[&day]).await }.scope_boxed()
        })
        .await?;
        Ok(())
    }

    /// Takes the lock of the night that is at work, unless another has it.
    pub async fn try_lock_compaction(&self) -> Result<Option<NightLock>, StoreError> {
        // A connection of its own, out of the pool, whose transaction stays open: the lock goes with it, also when the
        // process dies.
        let client = deadpool_postgres::Object::take(self.client().await?);
        client.batch_execute(postgres::sql::BEGIN).await?;
        client.batch_execute(sql::PREPARE_LOCK).await?;
        let locked = client.query_one(sql::TRY_LOCK_COMPACTION, &[]).await?.try_get("locked")?;
        Ok(if locked { Some(NightLock { _client: client }) } else { None })
    }

    /// Forgets how much the videos of a day have grown of which no shard run is left.
    pub async fn delete_growth(&self, day: NaiveDate) -> Result<(), StoreError> {
        self.run_tx("delete_growth", |tx| {
            async move {
                locks::lock_growth(tx, self.tables(), day, day).await?;
                execute(tx, sql::DELETE_GROWTH, &[&day]).await
            }
            .scope_boxed()
        })
        .await?;
        Ok(())
    }

    /// Drops a day's shard partitions if they are empty; returns whether it did. Where they are in use all the time they stay.
    pub async fn drop_shard_partition(&self, day: NaiveDate) -> Result<bool, StoreError> {
        let dropped = self.drop_when_free(SHARD_TABLES, sql::DROP_SHARD_PARTITION, day).await?;
        Ok(dropped == Some(true))
    }
}

/// Sets a transaction up for moving a piece.
pub(crate) async fn prepare(tx: &Transaction<'_>) -> Result<(), StoreError> {
    Ok(tx.batch_execute(sql::PREPARE_COMPACTION).await?)
}
