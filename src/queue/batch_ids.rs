//! Tables `batch_ids` and `batch_id_rings`: which batches were accepted already.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use chrono::{DateTime, Utc};
use deadpool_postgres::Transaction;
use scoped_futures::ScopedFutureExt;
use uuid::Uuid;

use super::sql;
use crate::postgres::{self, Store, StoreError, query};

/// How long the chunks of a replayed file are remembered.
pub const REPLAY_MEMORY: Duration = Duration::from_secs(48 * 3600);

/// The kinds of batch ids; each is remembered for its own time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ring {
    /// Batches that clients sent.
    Http,
    /// Chunks of replayed files.
    Replay,
}

impl Ring {
    fn name(self) -> &'static str {
        match self {
            Ring::Http => "http",
            Ring::Replay => "replay",
        }
    }
}

/// What a batch was answered when it was accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// How many of its heartbeats were taken.
    pub accepted: usize,
    /// The rejections, as the JSON array that was sent.
    pub rejected: String,
}

impl Store {
    /// The answers to those of the batches that were accepted before.
    pub async fn accepted_batches(
        &self,
        ring: Ring,
        ids: &[Uuid],
    ) -> Result<HashMap<Uuid, Accepted>, StoreError> {
        self.run_tx("read_batch_ids", |tx| async move { read(tx, ring, ids).await }.scope_boxed()).await
    }

    /// Turns the ring if its current slot is older than `keep`; returns whether it did. A ring that somebody is reading
    /// is left for the next time: whoever waits for it makes every batch wait.
    pub async fn rotate_batch_ids(
        &self,
        ring: Ring,
        keep: Duration,
        now: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let outcome = self
            .run_tx_once(|tx| {
                async move {
                    tx.batch_execute(postgres::sql::PREPARE_DROP).await?;
                    let rows =
                        query(tx, sql::ROTATE_BATCH_IDS, &[&ring.name(), &keep.as_secs_f64(), &now]).await?;
                    Ok(rows[0].try_get("rotated")?)
                }
                .scope_boxed()
            })
            .await;
        match outcome {
            Err(StoreError::Conflict(_)) => Ok(false),
            outcome => outcome,
        }
    }
}

/// Remembers batches in the transaction that enqueues them; returns those that are new. Ids must be distinct.
pub(super) async fn insert(
    tx: &Transaction<'_>,
    ring: Ring,
    batches: &[(Uuid, &Accepted)],
) -> Result<HashSet<Uuid>, StoreError> {
    let ids: Vec<Uuid> = batches.iter().map(|(id, _)| *id).collect();
    let accepted: Vec<i32> = batches.iter().map(|(_, answer)| answer.accepted as i32).collect();
    let rejected: Vec<&str> = batches.iter().map(|(_, answer)| answer.rejected.as_str()).collect();
    tx.batch_execute(sql::PREPARE_BATCH_IDS).await?;
    query(tx, sql::LOCK_BATCH_IDS, &[&ring.name()]).await?;
    let rows = query(tx, sql::INSERT_BATCH_IDS, &[&ring.name(), &ids, &accepted, &rejected]).await?;
    rows.iter().map(|row| Ok(row.try_get("batch_id")?)).collect()
}

pub(super) async fn read(
    tx: &Transaction<'_>,
    ring: Ring,
    ids: &[Uuid],
) -> Result<HashMap<Uuid, Accepted>, StoreError> {
    let rows = query(tx, sql::READ_BATCH_IDS, &[&ring.name(), &ids]).await?;
    let answer = |row: &tokio_postgres::Row| -> Result<_, StoreError> {
        let accepted: i32 = row.try_get("accepted")?;
        Ok((
            row.try_get("batch_id")?,
            Accepted { accepted: accepted as usize, rejected: row.try_get("rejected")? },
        ))
    };
    rows.iter().map(answer).collect()
}
