//! A NATS stream as the queue.
//!
//! The model: the intake publishes a group of batches as one message and answers once the stream has acknowledged it. The
//! stream is read by sequence, without a consumer. How far each lane is folded stands in the database and is moved by the
//! transaction that folds, so a message counts once whatever is read again, whoever dies, and however many work on a lane.
//! Whether a batch counts at all is decided once, in the order of the stream, before any lane folds it: that is called to
//! register a message. What every lane has passed for good is removed from the stream.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use chrono::{DateTime, Utc};
use uuid::Uuid;

pub mod buffer;
pub mod group;
pub mod reader;
pub mod settings;
mod store;
pub mod stream;

use reader::Reader;
use stream::Stream;

use super::{
    Batch, Enqueued, Oldest, QueueDepth, QueueError, Ripe,
    batch_ids::Ring,
    claim::{self, Window},
    failed::insert_unreadable,
};
use crate::{
    events::{hashed::HashedHeartbeats, part::Part},
    postgres::{Store, StoreError, Transaction},
};

/// A look for batches that were accepted before may take this long beside the publication.
const LOOK_WAIT: Duration = Duration::from_millis(250);
/// A group of a few hundred heartbeats: a stream with less room is full.
const USUAL_BYTES: i64 = 65_536;
/// What a heartbeat of a message takes, for the depth of a queue that nobody reads.
const HEARTBEAT_BYTES: u64 = 45;

/// How a stream stands.
#[derive(Debug, Clone)]
pub struct StreamHealth {
    pub name: String,
    /// Servers that keep each message.
    pub replicas: usize,
    /// Those of them that are away or behind.
    pub lagging: usize,
    pub bytes: u64,
    pub max_bytes: u64,
}

/// The stream of a database.
#[derive(Clone)]
pub struct NatsQueue {
    store: Store,
    stream: Stream,
    reader: Arc<Reader>,
}

impl NatsQueue {
    /// Connects to the stream of a database, and refuses one that cannot be relied on.
    pub async fn open(store: &Store, url: &str) -> Result<NatsQueue, QueueError> {
        let Some(position) = store.stream_position().await? else {
            return Err(QueueError::Unsuitable(
                "the database's queue is its table: run `heatstrip migrate` with HEATSTRIP_QUEUE set, or leave it out"
                    .into(),
            ));
        };
        let stream = Stream::new(stream::connect(url).await?, &position.name);
        let info = stream.info().await?;
        reader::same_stream(&position, &info.created.to_rfc3339(), info.state.last_sequence)?;
        settings::check(&stream, &info)?;
        Ok(NatsQueue { store: store.clone(), stream, reader: Arc::default() })
    }

    pub(super) fn store(&self) -> &Store {
        &self.store
    }

    /// Publishes a group of batches; durable when it returns. A batch that was accepted before is published all the same, as
    /// nobody knows for certain before the messages in front of it are registered; it is not folded again.
    pub(super) async fn enqueue(&self, ring: Ring, group: &[Batch]) -> Result<Vec<Enqueued>, QueueError> {
        let ids: Vec<Uuid> = group.iter().filter_map(|batch| batch.id).collect();
        let look = async {
            let looked = tokio::time::timeout(LOOK_WAIT, self.store.accepted_batches(ring, &ids));
            match ids.is_empty() {
                true => Ok(Ok(Default::default())),
                false => looked.await,
            }
        };
        let (published, known) = tokio::join!(self.publish(ring, group), look);
        published?;
        // Postgres may be away: what is accepted meanwhile is counted once as well, only nobody is told that it is a retry.
        let mut known = known.ok().and_then(Result::ok).unwrap_or_default();
        let outcome = |batch: &Batch| match batch.id.and_then(|id| known.remove(&id)) {
            Some(answer) => Enqueued::Duplicate(answer),
            None => Enqueued::New,
        };
        Ok(group.iter().map(outcome).collect())
    }

    /// Publishes batches as one message, or as more where one would be larger than the server takes.
    async fn publish(&self, ring: Ring, group: &[Batch]) -> Result<(), QueueError> {
        let most = self.stream.client().max_payload() / 2;
        let mut messages: Vec<Vec<&Batch>> = Vec::new();
        let mut bytes = usize::MAX;
        for batch in group {
            let size = group::size(batch);
            if bytes.saturating_add(size) > most {
                messages.push(Vec::new());
                bytes = 0;
            }
            bytes += size;
            messages.last_mut().expect("the first batch made one").push(batch);
        }
        let publish = |batches: Vec<&Batch>| {
            let message: Bytes = group::encode(ring, &batches);
            self.stream.publish(Uuid::now_v7(), message)
        };
        futures_util::future::try_join_all(messages.into_iter().map(publish)).await?;
        Ok(())
    }

    /// How much waits to be folded. What is not registered yet is counted by its bytes.
    pub(super) async fn depth(&self) -> Result<QueueDepth, QueueError> {
        let position = reader::position(&self.store, &self.stream).await?;
        let state = self.stream.info().await?.state;
        let oldest = self.oldest_behind(position.folded(), state.last_sequence).await?;
        let unregistered = state.last_sequence.saturating_sub(position.registered);
        let message_bytes = state.bytes / state.messages.max(1);
        let heartbeats = match oldest {
            None => 0,
            Some(_) => position.waiting + (unregistered * message_bytes).div_ceil(HEARTBEAT_BYTES),
        };
        Ok(QueueDepth { heartbeats, oldest, last_id: None })
    }

    /// When the oldest message that is not folded was accepted.
    pub(super) async fn oldest(&self) -> Result<Option<DateTime<Utc>>, QueueError> {
        let position = reader::position(&self.store, &self.stream).await?;
        let state = self.stream.info().await?.state;
        self.oldest_behind(position.folded(), state.last_sequence).await
    }

    async fn oldest_behind(&self, folded: u64, last: u64) -> Result<Option<DateTime<Utc>>, QueueError> {
        if folded >= last {
            return Ok(None);
        }
        Ok(self.stream.fetch_one(folded + 1).await?.map(|message| message.at))
    }

    /// Returns the last message of the stream.
    pub(super) async fn last_sequence(&self) -> Result<u64, QueueError> {
        Ok(self.stream.info().await?.state.last_sequence)
    }

    /// Returns true if everything through a message is folded.
    pub(super) async fn is_folded_through(&self, sequence: u64) -> Result<bool, QueueError> {
        Ok(reader::position(&self.store, &self.stream).await?.folded() >= sequence)
    }

    /// Returns an error unless the stream would take a message.
    pub(super) async fn check(&self) -> Result<(), QueueError> {
        let info = self.stream.info().await?;
        let room = info.config.max_bytes - info.state.bytes as i64;
        if info.config.max_bytes > 0 && room < USUAL_BYTES {
            return Err(QueueError::Full(format!("{} of {} bytes", info.state.bytes, info.config.max_bytes)));
        }
        Ok(())
    }

    pub(super) async fn check_memory(&self, dedup_window: Duration) -> Result<(), QueueError> {
        let remembered = self.stream.info().await?.config.duplicate_window;
        if dedup_window <= remembered {
            return Ok(());
        }
        Err(QueueError::Unsuitable(format!(
            "batch ids are to be remembered for {} s, and the stream {} was made for {} s: run `heatstrip migrate` with \
             HEATSTRIP_DEDUP_WINDOW_SECS={}",
            dedup_window.as_secs(),
            self.stream.name(),
            remembered.as_secs(),
            dedup_window.as_secs()
        )))
    }

    /// Returns how the stream stands.
    pub async fn health(&self) -> Result<StreamHealth, QueueError> {
        let info = self.stream.info().await?;
        let replicas = info.cluster.as_ref().map_or(&[][..], |cluster| &cluster.replicas);
        Ok(StreamHealth {
            name: self.stream.name().to_owned(),
            replicas: info.config.num_replicas,
            lagging: replicas.iter().filter(|replica| replica.offline || !replica.current).count(),
            bytes: info.state.bytes,
            max_bytes: info.config.max_bytes.max(0) as u64,
        })
    }

    /// Reads on, and returns the lanes that are worth a step.
    pub(super) async fn ripe_lanes(
        &self,
        now: DateTime<Utc>,
        ripe: Ripe,
    ) -> Result<Vec<(u16, u64)>, QueueError> {
        self.reader.ripe_lanes(&self.store, &self.stream, now, ripe).await
    }

    /// Takes what a lane has next, in the transaction that folds it; none if there is nothing.
    pub(super) async fn claim(
        &self,
        tx: &Transaction<'_>,
        lane: u16,
        window: &Window,
    ) -> Result<Vec<HashedHeartbeats>, StoreError> {
        let Some(position) = store::lock_lane(tx, lane).await? else { return Ok(Vec::new()) };
        let bounds = (position.folded, position.registered);
        let taken = self.reader.lock().take(lane, position.generation, bounds, window);
        let Some(taken) = taken else { return Ok(Vec::new()) };
        let repeats = store::repeats(tx, position.folded, taken.through).await?;
        let forgotten = store::forgotten(tx, position.folded).await?;
        store::advance_lane(tx, lane, position, taken.through, taken.heartbeats).await?;
        let mut batches = Vec::with_capacity(taken.parts.len());
        for (sequence, batch, heartbeats) in taken.parts {
            if batch.is_some_and(|place| repeats.contains(&(sequence, place))) {
                continue;
            }
            let heartbeats = store::without_forgotten(sequence, heartbeats, &forgotten);
            if !heartbeats.is_empty() {
                batches.push(heartbeats);
            }
        }
        Ok(batches)
    }

    /// Takes what a lane has in its next message, and sets aside what nobody can read of it.
    pub(super) async fn claim_oldest(
        &self,
        tx: &Transaction<'_>,
        lane: u16,
        now: DateTime<Utc>,
    ) -> Result<Oldest, StoreError> {
        let window = Window { heartbeats: u64::MAX, watched_secs: u64::MAX, rows: 1 };
        let mut oldest = Oldest::default();
        for batch in self.claim(tx, lane, &window).await? {
            match claim::entries([&batch]) {
                Ok(_) => oldest.batches.push(batch),
                Err(error) => {
                    insert_unreadable(tx, batch.as_bytes(), &error.to_string(), now).await?;
                    oldest.unreadable += batch.len();
                }
            }
        }
        Ok(oldest)
    }

    /// Removes from the stream what every lane has passed for good.
    pub(super) async fn remove_passed(&self) -> Result<(), QueueError> {
        let position = reader::position(&self.store, &self.stream).await?;
        if let Some(passed) = self.store.passed_messages(position.generation).await? {
            self.stream.purge_before(passed + 1).await?;
        }
        Ok(())
    }

    /// Notes in a transaction that what the stream holds of a video by now is to be forgotten.
    pub(super) async fn forget(
        tx: &Transaction<'_>,
        video_id: &str,
        part: &Part,
        through: u64,
    ) -> Result<(), StoreError> {
        store::forget(tx, video_id, part, through).await
    }
}
