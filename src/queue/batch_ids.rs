//! Tables `batch_ids` and `batch_id_rings`: which batches were accepted already.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use chrono::{DateTime, Utc};
use deadpool_postgres::Transaction;
use scoped_futures::ScopedFutureExt;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use super::sql;
use crate::postgres::{Store, StoreError, query};

/// How long the chunks of a replayed file are remembered.
pub const REPLAY_MEMORY: Duration = Duration::from_secs(48 * 3600);

/// The turn of a ring is tried this often at once, if commits that are under way take long.
const MAX_TURN_ATTEMPTS: u32 = 3;

/// The kinds of batch ids; each is remembered for its own time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ring {
    /// Batches that clients sent.
    Http,
    /// Chunks of replayed files.
    Replay,
}

/// The slots of a ring that are in use.
#[derive(Debug, Clone, Copy)]
pub(super) struct Slots {
    /// New ids go there.
    current: i16,
    /// Ids of the time before are looked up there.
    previous: i16,
}

impl Ring {
    /// The statements that keep the ring from turning until the transaction ends.
    fn prepare(self) -> &'static str {
        match self {
            Ring::Http => sql::PREPARE_HTTP_IDS,
            Ring::Replay => sql::PREPARE_REPLAY_IDS,
        }
    }

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
        self.run_tx("read_batch_ids", |tx| {
            async move {
                tx.batch_execute(sql::PREPARE_IDS).await?;
                let slots = slots(tx, ring).await?;
                read(tx, slots, ids).await
            }
            .scope_boxed()
        })
        .await
    }

    /// Turns the ring if its current slot is older than `keep`; returns whether it did. A ring whose next slot somebody is
    /// reading, a dump for one, is left for the next time: its ids are remembered for longer.
    pub async fn rotate_batch_ids(
        &self,
        ring: Ring,
        keep: Duration,
        now: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        for _ in 0..MAX_TURN_ATTEMPTS {
            let outcome = self
                .run_tx_once(|tx| {
                    async move {
                        tx.batch_execute(sql::PREPARE_TURN).await?;
                        let rows =
                            query(tx, sql::ROTATE_BATCH_IDS, &[&ring.name(), &keep.as_secs_f64(), &now])
                                .await?;
                        Ok(rows[0].try_get("rotated")?)
                    }
                    .scope_boxed()
                })
                .await;
            match outcome {
                Err(StoreError::Conflict(_)) => {}
                outcome => return outcome,
            }
        }
        Ok(false)
    }
}

/// Keeps the ring from turning until the transaction ends, and returns its slots.
pub(super) async fn hold(tx: &Transaction<'_>, ring: Ring) -> Result<Slots, StoreError> {
    tx.batch_execute(ring.prepare()).await?;
    slots(tx, ring).await
}

async fn slots(tx: &Transaction<'_>, ring: Ring) -> Result<Slots, StoreError> {
    let rows = query(tx, sql::READ_SLOTS, &[&ring.name()]).await?;
    Ok(Slots { current: rows[0].try_get("current_slot")?, previous: rows[0].try_get("previous_slot")? })
}

/// Remembers batches in the transaction that enqueues them; returns those that are new. Ids must be distinct.
pub(super) async fn insert(
    tx: &Transaction<'_>,
    slots: Slots,
    batches: &[(Uuid, &Accepted)],
) -> Result<HashSet<Uuid>, StoreError> {
    let ids: Vec<Uuid> = batches.iter().map(|(id, _)| *id).collect();
    let accepted: Vec<i32> = batches.iter().map(|(_, answer)| answer.accepted as i32).collect();
    let rejected: Vec<&str> = batches.iter().map(|(_, answer)| answer.rejected.as_str()).collect();
    let parameters: &[&(dyn ToSql + Sync)] = &[&slots.current, &slots.previous, &ids, &accepted, &rejected];
    let rows = query(tx, sql::INSERT_BATCH_IDS, parameters).await?;
    rows.iter().map(|row| Ok(row.try_get("batch_id")?)).collect()
}

pub(super) async fn read(
    tx: &Transaction<'_>,
    slots: Slots,
    ids: &[Uuid],
) -> Result<HashMap<Uuid, Accepted>, StoreError> {
    let rows = query(tx, sql::READ_BATCH_IDS, &[&slots.current, &slots.previous, &ids]).await?;
    let answer = |row: &tokio_postgres::Row| -> Result<_, StoreError> {
        let accepted: i32 = row.try_get("accepted")?;
        Ok((
            row.try_get("batch_id")?,
            Accepted { accepted: accepted as usize, rejected: row.try_get("rejected")? },
        ))
    };
    rows.iter().map(answer).collect()
}
