//! Table `heartbeat_queue`: the queue where there is no other.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use deadpool_postgres::Transaction;
use scoped_futures::ScopedFutureExt;
use tokio_postgres::{Row, types::ToSql};
use uuid::Uuid;

use super::{
    Batch, Enqueued, QueueDepth, Ripe,
    batch_ids::{self, Accepted, Ring},
    sql,
};
use crate::events::hashed::HashedHeartbeats;
use crate::postgres::{self, Store, StoreError, execute, query};

/// A row of a group of a few hundred heartbeats.
const TRIED_BYTES: usize = 65_536;

impl Store {
    /// Moves on from where rows of the lanes are looked for, as far as no row can appear before it any more; returns whether
    /// it did. Every few seconds is often enough. `from_the_start` looks at all rows, those too that a reader with an old
    /// snapshot keeps.
    pub async fn advance_queue_heads(&self, from_the_start: bool) -> Result<bool, StoreError> {
        let lanes = i32::from(self.lanes());
        self.run_tx("advance_queue_heads", |tx| {
            async move {
                Ok(query(tx, sql::ADVANCE_HEADS, &[&lanes, &from_the_start]).await?[0].try_get("advanced")?)
            }
            .scope_boxed()
        })
        .await
    }

    /// Enqueues a group of batches in one transaction, each batch once; durable when it returns.
    ///
    /// Ids in the group must be distinct.
    pub async fn enqueue(
        &self,
        ring: Ring,
        group: &[Batch],
        now: DateTime<Utc>,
    ) -> Result<Vec<Enqueued>, StoreError> {
        let with_id: &Vec<(Uuid, &Accepted)> =
            &group.iter().filter_map(|batch| Some((batch.id?, &batch.answer))).collect();
        self.run_tx("enqueue", |tx| {
            async move {
                let known = known_batches(tx, ring, with_id).await?;
                let outcomes: Vec<Enqueued> = group
                    .iter()
                    .map(|batch| match batch.id.and_then(|id| known.get(&id)) {
                        Some(answer) => Enqueued::Duplicate(answer.clone()),
                        None => Enqueued::New,
                    })
                    .collect();
                let new = group.iter().zip(&outcomes).filter(|(_, outcome)| **outcome == Enqueued::New);
                enqueue_lanes(tx, new.map(|(batch, _)| batch), now).await?;
                Ok(outcomes)
            }
            .scope_boxed()
        })
        .await
    }

    /// Enqueues a batch of a usual size and takes it back, to see whether the database takes any: a full disk lets small
    /// changes pass.
    pub async fn try_enqueue(&self, now: DateTime<Utc>) -> Result<(), StoreError> {
        // Bytes by chance, as others would be compressed.
        let mut payload = vec![0; TRIED_BYTES];
        getrandom::fill(&mut payload)
            .map_err(|error| StoreError::Unavailable(format!("no random bytes: {error}")))?;
        let payload = &payload;
        self.run_tx("try_enqueue", |tx| {
            async move {
                tx.batch_execute(postgres::sql::SAVEPOINT).await?;
                let parameters: &[&(dyn ToSql + Sync)] =
                    &[&vec![0i16], &vec![1i32], &vec![0i64], &vec![payload.as_slice()], &now];
                execute(tx, sql::ENQUEUE_LANES, parameters).await?;
                tx.batch_execute(postgres::sql::ROLLBACK_TO_SAVEPOINT).await?;
                Ok(())
            }
            .scope_boxed()
        })
        .await
    }

    /// How much waits to be folded.
    pub async fn queue_depth(&self) -> Result<QueueDepth, StoreError> {
        self.run_tx("read_queue_depth", |tx| {
            async move {
                tx.batch_execute(sql::PREPARE_QUEUE).await?;
                let rows = query(tx, sql::READ_QUEUE_DEPTH, &[]).await?;
                let heartbeats: i64 = rows[0].try_get("heartbeats")?;
                Ok(QueueDepth {
                    heartbeats: heartbeats as u64,
                    oldest: rows[0].try_get("oldest")?,
                    last_id: rows[0].try_get("last_id")?,
                })
            }
            .scope_boxed()
        })
        .await
    }

    /// When the oldest queue row was accepted, none if the queue is empty; takes as long however deep it is.
    pub async fn oldest_queued(&self) -> Result<Option<DateTime<Utc>>, StoreError> {
        let lanes = self.lanes() as i16;
        self.run_tx("read_oldest_queued", |tx| {
            async move {
                tx.batch_execute(sql::PREPARE_QUEUE).await?;
                Ok(query(tx, sql::READ_OLDEST_QUEUED, &[&lanes]).await?[0].try_get("oldest")?)
            }
            .scope_boxed()
        })
        .await
    }

    /// The ripe lanes with the id of their oldest row, the longest waiting first.
    pub async fn ripe_lanes(&self, ripe: Ripe) -> Result<Vec<(u16, i64)>, StoreError> {
        let (lanes, heartbeats) = (self.lanes() as i16, ripe.heartbeats as i64);
        self.run_tx("read_busy_lanes", |tx| {
            async move {
                tx.batch_execute(sql::PREPARE_QUEUE).await?;
                let rows = query(tx, sql::READ_BUSY_LANES, &[&lanes, &ripe.accepted_by, &heartbeats]).await?;
                let lane = |row: &Row| -> Result<_, StoreError> {
                    Ok((row.try_get::<_, i16>("lane")? as u16, row.try_get("id")?))
                };
                rows.iter().map(lane).collect()
            }
            .scope_boxed()
        })
        .await
    }
}

/// Remembers the ids of the group and returns the answers to those that were known.
async fn known_batches(
    tx: &Transaction<'_>,
    ring: Ring,
    with_id: &[(Uuid, &Accepted)],
) -> Result<HashMap<Uuid, Accepted>, StoreError> {
    if with_id.is_empty() {
        return Ok(HashMap::new());
    }
    let slots = batch_ids::hold(tx, ring).await?;
    let new = batch_ids::insert(tx, slots, with_id).await?;
    let known: Vec<Uuid> = with_id.iter().map(|(id, _)| *id).filter(|id| !new.contains(id)).collect();
    if known.is_empty() {
        return Ok(HashMap::new());
    }
    // A statement of its own: it sees what a transaction committed that the insert had to wait for.
    batch_ids::read(tx, slots, &known).await
}

/// One row a lane, however many batches have heartbeats of it.
async fn enqueue_lanes<'a>(
    tx: &Transaction<'_>,
    batches: impl Iterator<Item = &'a Batch>,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let mut by_lane: BTreeMap<u16, HashedHeartbeats> = BTreeMap::new();
    for batch in batches {
        for (&lane, heartbeats) in &batch.lanes {
            by_lane.entry(lane).or_default().append(heartbeats);
        }
    }
    if by_lane.is_empty() {
        return Ok(());
    }
    let lanes: Vec<i16> = by_lane.keys().map(|&lane| lane as i16).collect();
    let heartbeats: Vec<i32> = by_lane.values().map(|part| part.len() as i32).collect();
    let watched_secs: Vec<i64> = by_lane.values().map(|part| part.watched_secs() as i64).collect();
    let payloads: Vec<&[u8]> = by_lane.values().map(|part| part.as_bytes()).collect();
    let parameters: &[&(dyn ToSql + Sync)] = &[&lanes, &heartbeats, &watched_secs, &payloads, &now];
    execute(tx, sql::ENQUEUE_LANES, parameters).await?;
    Ok(())
}
