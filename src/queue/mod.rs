//! Tables `heartbeat_queue` and `heartbeat_queue_failed`.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, NaiveDate, Utc};
use deadpool_postgres::Transaction;
use scoped_futures::ScopedFutureExt;
use tokio_postgres::{Row, types::ToSql};
use uuid::Uuid;

pub mod batch_ids;
pub mod forget;
pub mod sql;

use batch_ids::{Accepted, Ring};

use crate::events::hashed::HashedHeartbeats;
use crate::postgres::{Store, StoreError, execute, query};

/// A batch on its way into the queue.
#[derive(Debug)]
pub struct Batch {
    /// The id its sender gave it; without one a retry cannot be told from a new batch.
    pub id: Option<Uuid>,
    /// Its heartbeats by lane.
    pub lanes: BTreeMap<u16, HashedHeartbeats>,
    /// What its sender is answered.
    pub answer: Accepted,
}

/// What became of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Enqueued {
    /// It is in the queue.
    New,
    /// It was accepted before, with this answer, and was not enqueued again.
    Duplicate(Accepted),
}

/// How much waits to be folded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueueDepth {
    /// Heartbeats in the queue.
    pub heartbeats: u64,
    /// When the oldest row was accepted.
    pub oldest: Option<DateTime<Utc>>,
    /// The newest row's id.
    pub last_id: Option<i64>,
}

impl Store {
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

    /// How much waits to be folded.
    pub async fn queue_depth(&self) -> Result<QueueDepth, StoreError> {
        self.run_tx("read_queue_depth", |tx| {
            async move {
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
            async move { Ok(query(tx, sql::READ_OLDEST_QUEUED, &[&lanes]).await?[0].try_get("oldest")?) }
                .scope_boxed()
        })
        .await
    }

    /// The lanes that have something queued with the id of their oldest row, the longest waiting first.
    pub async fn busy_lanes(&self) -> Result<Vec<(u16, i64)>, StoreError> {
        let lanes = self.lanes() as i16;
        self.run_tx("read_busy_lanes", |tx| {
            async move {
                let rows = query(tx, sql::READ_BUSY_LANES, &[&lanes]).await?;
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
    let new = batch_ids::insert(tx, ring, with_id).await?;
    let known: Vec<Uuid> = with_id.iter().map(|(id, _)| *id).filter(|id| !new.contains(id)).collect();
    if known.is_empty() {
        return Ok(HashMap::new());
    }
    // A statement of its own: it sees what a transaction committed that the insert had to wait for.
    batch_ids::read(tx, ring, &known).await
}

/// One row a lane, however many batches have heartbeats of it.
async fn enqueue_lanes<'a>(
    tx: &Transaction<'_>,
    batches: impl Iterator<Item = &'a Batch>,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let mut by_lane: BTreeMap<u16, Vec<&HashedHeartbeats>> = BTreeMap::new();
    for batch in batches {
        for (&lane, heartbeats) in &batch.lanes {
            by_lane.entry(lane).or_default().push(heartbeats);
        }
    }
    if by_lane.is_empty() {
        return Ok(());
    }
    let (mut lanes, mut first, mut last, mut enqueued) = (Vec::new(), Vec::new(), Vec::new(), 0);
    for (&lane, parts) in &by_lane {
        lanes.push(lane as i16);
        first.push(enqueued + 1);
        enqueued += parts.iter().map(|part| part.len()).sum::<usize>() as i32;
        last.push(enqueued);
    }
    let parts = || by_lane.values().flatten();
    let video_id: Vec<&str> = parts().flat_map(|part| &part.video_id).map(String::as_str).collect();
    let region: Vec<&str> = parts().flat_map(|part| &part.region).map(String::as_str).collect();
    let captured_on: Vec<NaiveDate> = parts().flat_map(|part| &part.captured_on).copied().collect();
    let start_sec: Vec<i32> = parts().flat_map(|part| &part.start_sec).copied().collect();
    let end_sec: Vec<i32> = parts().flat_map(|part| &part.end_sec).copied().collect();
    let viewer_hash: Vec<i64> = parts().flat_map(|part| &part.viewer_hash).copied().collect();
    let parameters: &[&(dyn ToSql + Sync)] =
        &[&lanes, &first, &last, &now, &video_id, &region, &captured_on, &start_sec, &end_sec, &viewer_hash];
    execute(tx, sql::ENQUEUE_LANES, parameters).await?;
    Ok(())
}

/// Whether this transaction may work on a lane: at most one at a time does.
pub(crate) async fn try_lock_lane(tx: &Transaction<'_>, lane: u16) -> Result<bool, StoreError> {
    let rows = query(tx, sql::TRY_LOCK_LANE, &[&i32::from(lane)]).await?;
    Ok(rows[0].try_get("locked")?)
}

/// Takes a lane's oldest batches out of the queue, each as it was enqueued.
pub(crate) async fn claim_batches(
    tx: &Transaction<'_>,
    lane: u16,
    max_heartbeats: u64,
    max_batches: u64,
) -> Result<Vec<HashedHeartbeats>, StoreError> {
    let (max_heartbeats, max_batches) = (max_heartbeats as i64, max_batches as i64);
    let rows = query(tx, sql::CLAIM_BATCHES, &[&(lane as i16), &max_heartbeats, &max_batches]).await?;
    let batch = |row: &Row| -> Result<_, StoreError> {
        Ok(HashedHeartbeats {
            video_id: row.try_get("video_id")?,
            region: row.try_get("region")?,
            captured_on: row.try_get("captured_on")?,
            start_sec: row.try_get("start_sec")?,
            end_sec: row.try_get("end_sec")?,
            viewer_hash: row.try_get("viewer_hash")?,
        })
    };
    rows.iter().map(batch).collect()
}

/// Sets aside what is unreadable in a lane's oldest batch, so that the rest can be claimed; returns how many.
pub(crate) async fn set_aside_unreadable(
    tx: &Transaction<'_>,
    lane: u16,
    now: DateTime<Utc>,
) -> Result<usize, StoreError> {
    let rows = query(tx, sql::SET_ASIDE_UNREADABLE, &[&(lane as i16), &now]).await?;
    let failed: i64 = rows[0].try_get("failed")?;
    Ok(failed as usize)
}

/// Sets one heartbeat aside that could not be folded.
pub(crate) async fn insert_failed(
    tx: &Transaction<'_>,
    heartbeat: &HashedHeartbeats,
    reason: &str,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    for index in 0..heartbeat.len() {
        execute(
            tx,
            sql::INSERT_FAILED,
            &[
                &now,
                &reason,
                &heartbeat.video_id[index],
                &heartbeat.region[index],
                &heartbeat.captured_on[index],
                &heartbeat.start_sec[index],
                &heartbeat.end_sec[index],
                &heartbeat.viewer_hash[index],
            ],
        )
        .await?;
    }
    Ok(())
}
