//! The canonical tables, `video_heatmap` and its coarser levels, as compaction writes them.

use chrono::NaiveDate;
use scoped_futures::ScopedFutureExt;

use super::closed_epochs;
use super::sql;
use crate::postgres::{self, Store, StoreError, Transaction, query};

/// A key of shard rows within a day; a piece of a compaction begins behind one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ShardKey {
    /// The video.
    pub video_id: String,
    /// The region.
    pub region: String,
    /// The second; unused for whole videos.
    pub bucket_sec: i32,
    /// The shard.
    pub shard: i16,
}

impl ShardKey {
    /// Before every key.
    pub fn first() -> Self {
        ShardKey { video_id: String::new(), region: String::new(), bucket_sec: -1, shard: -1 }
    }
}

/// Which shard rows a piece is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rows {
    /// Those of seconds.
    Seconds,
    /// Those of whole videos.
    Whole,
}

/// What a piece moved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// Shard rows moved.
    pub rows: u64,
    /// Its last key.
    pub end: ShardKey,
}

/// The partitions of one day's shard rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShardDay {
    /// The day.
    pub day: NaiveDate,
    /// Bytes on disk, indexes included.
    pub bytes: u64,
    /// About how many rows of seconds, as the statistics have it.
    pub about_rows: u64,
}

/// While it lives, no other compaction starts.
pub struct CompactionLock {
    _client: deadpool_postgres::ClientWrapper,
}

impl Store {
    /// The days that have shard partitions, ascending.
    pub async fn shard_days(&self) -> Result<Vec<ShardDay>, StoreError> {
        self.run_tx("read_shard_partitions", |tx| {
            async move {
                let day = |row: &tokio_postgres::Row| -> Result<_, StoreError> {
                    Ok(ShardDay {
                        day: row.try_get("day")?,
                        bytes: row.try_get::<_, i64>("bytes")? as u64,
                        about_rows: row.try_get::<_, i64>("about_rows")? as u64,
                    })
                };
                query(tx, sql::READ_SHARD_PARTITIONS, &[]).await?.iter().map(day).collect()
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

    /// The lock of the compaction that is at work, unless another has it.
    pub async fn try_lock_compaction(&self) -> Result<Option<CompactionLock>, StoreError> {
        // A connection of its own, out of the pool: the lock goes with it, also when the process dies.
        let client = deadpool_postgres::Object::take(self.client().await?);
        let locked = client.query_one(sql::TRY_LOCK_COMPACTION, &[]).await?.try_get("locked")?;
        Ok(if locked { Some(CompactionLock { _client: client }) } else { None })
    }

    /// Drops a day's shard partitions if they are empty; returns whether it did.
    pub async fn drop_shard_partition(&self, day: NaiveDate) -> Result<bool, StoreError> {
        self.run_tx_once(|tx| {
            async move {
                tx.batch_execute(postgres::sql::PREPARE_DROP).await?;
                Ok(query(tx, sql::DROP_SHARD_PARTITION, &[&day]).await?[0].try_get("dropped")?)
            }
            .scope_boxed()
        })
        .await
    }
}

/// Moves the shard rows of a day behind a key to the canonical rows of every level; none when there are no more.
pub(crate) async fn compact(
    tx: &Transaction<'_>,
    rows: Rows,
    day: NaiveDate,
    behind: &ShardKey,
    max_rows: u64,
) -> Result<Option<Piece>, StoreError> {
    tx.batch_execute(sql::PREPARE_COMPACTION).await?;
    closed_epochs::lock(tx).await?;
    let ShardKey { video_id, region, bucket_sec, shard } = behind;
    let max_rows = max_rows as i64;
    let answer = match rows {
        Rows::Seconds => {
            query(tx, sql::COMPACT_SECONDS, &[&day, video_id, region, bucket_sec, shard, &max_rows]).await?
        }
        Rows::Whole => query(tx, sql::COMPACT_WHOLE, &[&day, video_id, region, shard, &max_rows]).await?,
    };
    let Some(row) = answer.first() else {
        return Ok(None);
    };
    let bucket_sec = match rows {
        Rows::Seconds => row.try_get("bucket_sec")?,
        Rows::Whole => -1,
    };
    Ok(Some(Piece {
        rows: row.try_get::<_, i64>("moved")? as u64,
        end: ShardKey {
            video_id: row.try_get("video_id")?,
            region: row.try_get("region")?,
            bucket_sec,
            shard: row.try_get("shard")?,
        },
    }))
}
