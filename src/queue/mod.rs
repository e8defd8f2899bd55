//! The queue: heartbeats and views that are accepted and not folded yet, in a table or in a NATS stream.
//!
//! Where there is a stream, the table is emptied beside it: it may hold what was accepted before there was one, or what a process
//! that was not told of it accepts.

use std::{collections::BTreeMap, time::Duration};

use chrono::{DateTime, Utc};
use uuid::Uuid;

pub mod batch_ids;
pub mod claim;
mod error;
pub mod failed;
pub mod forget;
pub mod nats;
pub mod sql;
mod table;

pub use error::QueueError;

use batch_ids::{Accepted, Ring};
use claim::Window;
use nats::NatsQueue;

use crate::{
    events::hashed::HashedHeartbeats,
    postgres::{Store, StoreError, Transaction, in_savepoint},
};

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

/// The outcome of a batch.
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

/// When a lane is worth a step: small steps cost as much as large ones.
#[derive(Debug, Clone, Copy)]
pub struct Ripe {
    /// Its oldest row was accepted by then,
    pub accepted_by: DateTime<Utc>,
    /// or it holds this many heartbeats.
    pub heartbeats: u64,
}

/// Where a lane has the oldest of what waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// A row of the table.
    Row(i64),
    /// A message of the stream.
    Message(u64),
}

/// A lane that is worth a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RipeLane {
    pub lane: u16,
    pub oldest: Place,
}

/// The oldest row or message of a lane.
#[derive(Debug, Default)]
pub(crate) struct Oldest {
    /// What can be read of it.
    pub batches: Vec<HashedHeartbeats>,
    /// How many heartbeats and views were set aside, because nobody can read them.
    pub unreadable: usize,
}

/// The end of the queue at some time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    row: Option<i64>,
    message: Option<u64>,
}

/// The queue of a database.
#[derive(Clone)]
#[expect(clippy::large_enum_variant, reason = "a process makes few of it")]
pub enum Queue {
    /// Its table.
    Table(Store),
    /// A stream beside it.
    Nats(NatsQueue),
}

impl From<&Store> for Queue {
    fn from(store: &Store) -> Queue {
        Queue::Table(store.clone())
    }
}

impl From<Store> for Queue {
    fn from(store: Store) -> Queue {
        Queue::Table(store)
    }
}

impl From<&Queue> for Queue {
    fn from(queue: &Queue) -> Queue {
        queue.clone()
    }
}

impl Queue {
    /// Returns the queue of a database: the stream at `url`, or its table. Whoever names the wrong one is refused, as what they
    /// put there would not be folded, and what they forget would come back.
    pub async fn open(store: &Store, url: Option<&str>) -> Result<Queue, QueueError> {
        match url {
            Some(url) => Ok(Queue::Nats(NatsQueue::open(store, url).await?)),
            None => match store.stream_position().await? {
                None => Ok(Queue::Table(store.clone())),
                Some(position) => Err(QueueError::Unsuitable(format!(
                    "this database's queue is the NATS stream {}: set HEATSTRIP_QUEUE to nats://host:4222",
                    position.name
                ))),
            },
        }
    }

    /// Returns the database.
    pub fn store(&self) -> &Store {
        match self {
            Queue::Table(store) => store,
            Queue::Nats(nats) => nats.store(),
        }
    }

    /// Enqueues a group of batches, each batch once; durable when it returns. Ids in the group must be distinct.
    pub async fn enqueue(
        &self,
        ring: Ring,
        group: &[Batch],
        now: DateTime<Utc>,
    ) -> Result<Vec<Enqueued>, QueueError> {
        match self {
            Queue::Table(store) => Ok(store.enqueue(ring, group, now).await?),
            Queue::Nats(nats) => nats.enqueue(ring, group).await,
        }
    }

    /// Returns an error unless a batch of a usual size would be taken.
    pub async fn try_enqueue(&self, now: DateTime<Utc>) -> Result<(), QueueError> {
        match self {
            Queue::Table(store) => Ok(store.try_enqueue(now).await?),
            Queue::Nats(nats) => nats.check().await,
        }
    }

    /// Returns an error unless whoever accepts heartbeats can be served; the table is where the database is.
    pub async fn check(&self) -> Result<(), QueueError> {
        match self {
            Queue::Table(_) => Ok(()),
            Queue::Nats(nats) => nats.check().await,
        }
    }

    /// Refuses to promise that batch ids are remembered for longer than whoever registers messages remembers them.
    pub async fn check_memory(&self, dedup_window: Option<Duration>) -> Result<(), QueueError> {
        match (self, dedup_window) {
            (Queue::Nats(nats), Some(window)) => nats.check_memory(window).await,
            _ => Ok(()),
        }
    }

    /// How much waits to be folded.
    pub async fn depth(&self) -> Result<QueueDepth, QueueError> {
        let table = self.store().queue_depth().await?;
        match self {
            Queue::Table(_) => Ok(table),
            Queue::Nats(nats) => {
                let stream = nats.depth().await?;
                Ok(QueueDepth {
                    heartbeats: table.heartbeats + stream.heartbeats,
                    oldest: earlier(table.oldest, stream.oldest),
                    last_id: table.last_id,
                })
            }
        }
    }

    /// When the oldest of what waits was accepted; takes as long however much it is.
    pub async fn oldest(&self) -> Result<Option<DateTime<Utc>>, QueueError> {
        let table = self.store().oldest_queued().await?;
        match self {
            Queue::Table(_) => Ok(table),
            Queue::Nats(nats) => Ok(earlier(table, nats.oldest().await?)),
        }
    }

    /// The ripe lanes, those of the table first, the longest waiting first.
    pub async fn ripe_lanes(&self, now: DateTime<Utc>, ripe: Ripe) -> Result<Vec<RipeLane>, QueueError> {
        let row = |(lane, id)| RipeLane { lane, oldest: Place::Row(id) };
        let mut lanes: Vec<RipeLane> = self.store().ripe_lanes(ripe).await?.into_iter().map(row).collect();
        if let Queue::Nats(nats) = self {
            let message = |(lane, sequence)| RipeLane { lane, oldest: Place::Message(sequence) };
            lanes.extend(nats.ripe_lanes(now, ripe).await?.into_iter().map(message));
        }
        Ok(lanes)
    }

    /// The end of the queue by now.
    pub async fn mark(&self) -> Result<Mark, QueueError> {
        let row = self.store().queue_depth().await?.last_id;
        let message = match self {
            Queue::Table(_) => None,
            Queue::Nats(nats) => Some(nats.last_sequence().await?),
        };
        Ok(Mark { row, message })
    }

    /// Returns true once everything through a mark is folded.
    pub async fn is_folded(&self, mark: &Mark) -> Result<bool, QueueError> {
        if let Some(last) = mark.row {
            // Also what a host whose clock is ahead has accepted.
            let all = Ripe { accepted_by: DateTime::<Utc>::MAX_UTC, heartbeats: 0 };
            if self.store().ripe_lanes(all).await?.iter().any(|&(_, oldest)| oldest <= last) {
                return Ok(false);
            }
        }
        match (self, mark.message) {
            (Queue::Nats(nats), Some(message)) => nats.is_folded_through(message).await,
            _ => Ok(true),
        }
    }

    /// Takes the oldest batches of a ripe lane, each as it was enqueued; they are back if the transaction does not commit.
    pub(crate) async fn claim(
        &self,
        tx: &Transaction<'_>,
        ripe: RipeLane,
        window: &Window,
    ) -> Result<Vec<HashedHeartbeats>, StoreError> {
        match (self, ripe.oldest) {
            (Queue::Nats(nats), Place::Message(_)) => nats.claim(tx, ripe.lane, window).await,
            _ => claim::claim_batches(tx, ripe.lane, window).await,
        }
    }

    /// Takes the oldest row or message of a ripe lane, as [`Queue::claim`] does; what nobody can read of it is set aside.
    pub(crate) async fn claim_oldest(
        &self,
        tx: &Transaction<'_>,
        ripe: RipeLane,
        now: DateTime<Utc>,
    ) -> Result<Oldest, StoreError> {
        match (self, ripe.oldest) {
            (Queue::Nats(nats), Place::Message(_)) => nats.claim_oldest(tx, ripe.lane, now).await,
            _ => claim_oldest_row(tx, ripe.lane, now).await,
        }
    }

    /// Keeps the queue in order: every few seconds is often enough. `from_the_start` looks at all rows of the table, those too
    /// that a reader with an old snapshot keeps.
    pub async fn tidy(&self, from_the_start: bool) -> Result<(), QueueError> {
        self.store().advance_queue_heads(from_the_start).await?;
        match self {
            Queue::Table(_) => Ok(()),
            Queue::Nats(nats) => nats.remove_passed().await,
        }
    }

    /// Returns the last message of the stream by now: what a removal of a video reaches.
    pub async fn last_message(&self) -> Result<Option<u64>, QueueError> {
        match self {
            Queue::Table(_) => Ok(None),
            Queue::Nats(nats) => Ok(Some(nats.last_sequence().await?)),
        }
    }
}

fn earlier(one: Option<DateTime<Utc>>, other: Option<DateTime<Utc>>) -> Option<DateTime<Utc>> {
    [one, other].into_iter().flatten().min()
}

async fn claim_oldest_row(tx: &Transaction<'_>, lane: u16, now: DateTime<Utc>) -> Result<Oldest, StoreError> {
    let Some(oldest) = claim::oldest_row(tx, lane).await? else { return Ok(Oldest::default()) };
    let readable = async {
        let batches = claim::claim_row(tx, lane, oldest).await?;
        claim::entries(&batches)?;
        Ok(batches)
    };
    match in_savepoint(tx, readable).await {
        Err(StoreError::BadValue(reason)) => {
            let unreadable = failed::set_aside_unreadable(tx, lane, oldest, &reason, now).await?;
            Ok(Oldest { batches: Vec::new(), unreadable })
        }
        claimed => Ok(Oldest { batches: claimed?, unreadable: 0 }),
    }
}
