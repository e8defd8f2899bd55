//! The intake: heartbeats of many requests become one durable transaction.
//!
//! Committers take whatever waits and commit it together, so that under load a commit serves many requests and without
//! load nobody waits for company. The number of waiting heartbeats is bounded: a full intake tells the client to back
//! off.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use uuid::Uuid;

use super::{hash::Hashed, metrics::METRICS};
use crate::{
    clock::Clock,
    postgres::StoreError,
    queue::{Batch, Enqueued, Queue, QueueError, batch_ids::Ring},
    viewers::salt::SaltError,
};

/// So many commits are under way at once: while one waits for the disk, the next gathers.
const COMMITTERS: usize = 2;
/// One commit carries at most this many heartbeats, so that no transaction grows without bound.
const MAX_GROUP_HEARTBEATS: usize = 50_000;
/// At most this many heartbeats may wait for their commit; at about 100 bytes each this bounds the memory.
const MAX_WAITING_HEARTBEATS: usize = 200_000;
/// A request waits this long for its commit before it is told that the outcome is unknown.
const COMMIT_WAIT: Duration = Duration::from_secs(10);

/// A batch was not accepted for one of these reasons.
#[derive(Debug, thiserror::Error)]
pub enum IntakeError {
    /// More heartbeats wait than may wait: nothing was done.
    #[error("too many heartbeats are waiting")]
    Full,
    /// The day's salt cannot be had.
    #[error(transparent)]
    Salt(#[from] SaltError),
    /// The queue did not take it, or nobody knows whether it did.
    #[error("{0}")]
    Queue(Arc<QueueError>),
    /// The commit did not come in time, but it may still come.
    #[error("the commit took too long, its outcome is unknown")]
    TimedOut,
}

/// A batch that waits for its commit.
struct Waiting {
    batch: Batch,
    reply: oneshot::Sender<Result<Enqueued, IntakeError>>,
    /// The permit is given back when the batch is answered.
    _permit: OwnedSemaphorePermit,
}

/// Takes batches and answers once they are durable.
#[derive(Clone)]
pub struct Intake {
    sender: mpsc::UnboundedSender<Waiting>,
    waiting: Arc<Semaphore>,
    queued: Arc<AtomicU64>,
    max_queued: u64,
    /// Set while commits fail for a reason that lies in the queue.
    refused: Arc<AtomicBool>,
}

impl Intake {
    /// Starts the committers. They end when the last clone of the intake is dropped and all it took is answered.
    ///
    /// `max_queued` bounds the heartbeats in the queue.
    pub fn start(queue: impl Into<Queue>, clock: Clock, max_queued: u64) -> Self {
        let queue = queue.into();
        // The channel is unbounded, because the permits bound it by heartbeats and not by requests.
        let (sender, receiver) = mpsc::unbounded_channel();
        let receiver = Arc::new(Mutex::new(receiver));
        let refused = Arc::<AtomicBool>::default();
        for _ in 0..COMMITTERS {
            let (receiver, refused) = (Arc::clone(&receiver), Arc::clone(&refused));
            tokio::spawn(commit_groups(queue.clone(), clock.clone(), receiver, refused));
        }
        Intake {
            sender,
            waiting: Arc::new(Semaphore::new(MAX_WAITING_HEARTBEATS)),
            queued: Arc::default(),
            max_queued,
            refused,
        }
    }

    /// Returns true while commits fail, and nothing has shown since that they would succeed.
    pub fn is_refused(&self) -> bool {
        self.refused.load(Ordering::Relaxed)
    }

    /// Notes that a commit would succeed by now.
    pub fn set_recovered(&self) {
        self.refused.store(false, Ordering::Relaxed);
    }

    /// Notes how many heartbeats are in the queue, as sampled now and then.
    pub fn set_queued(&self, heartbeats: u64) {
        self.queued.store(heartbeats, Ordering::Relaxed);
    }

    /// Returns how many heartbeats were in the queue when it was last sampled.
    pub fn queued(&self) -> u64 {
        self.queued.load(Ordering::Relaxed)
    }

    /// Enqueues a batch; when this returns `Ok` the batch is durable. Nothing is tried again here once the COMMIT was
    /// sent.
    pub async fn submit(&self, batch_id: Option<Uuid>, hashed: Hashed) -> Result<Enqueued, IntakeError> {
        if self.queued() >= self.max_queued {
            return Err(IntakeError::Full);
        }
        let heartbeats = hashed.accepted as u32;
        let permit =
            Arc::clone(&self.waiting).try_acquire_many_owned(heartbeats).map_err(|_| IntakeError::Full)?;
        let answer = hashed.answer();
        let (reply, answered) = oneshot::channel();
        let waiting =
            Waiting { batch: Batch { id: batch_id, lanes: hashed.lanes, answer }, reply, _permit: permit };
        // Neither can fail while the committers live, and they live as long as this intake.
        self.sender.send(waiting).map_err(|_| IntakeError::TimedOut)?;
        match tokio::time::timeout(COMMIT_WAIT, answered).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) | Err(_) => Err(IntakeError::TimedOut),
        }
    }
}

async fn commit_groups(
    queue: Queue,
    clock: Clock,
    receiver: Arc<Mutex<mpsc::UnboundedReceiver<Waiting>>>,
    refused: Arc<AtomicBool>,
) {
    loop {
        let group = gather(&mut *receiver.lock().await).await;
        if group.is_empty() {
            return;
        }
        commit(&queue, &clock, group, &refused).await;
    }
}

/// True unless another batch may well succeed.
fn lies_in_the_queue(error: &QueueError) -> bool {
    !matches!(error, QueueError::Store(StoreError::Conflict(_) | StoreError::BadValue(_)))
}

/// Waits for one batch and takes whatever came meanwhile; the result is empty when nobody can send any more.
async fn gather(receiver: &mut mpsc::UnboundedReceiver<Waiting>) -> Vec<Waiting> {
    let mut group = Vec::new();
    let mut heartbeats = 0;
    if let Some(first) = receiver.recv().await {
        heartbeats += first.batch.answer.accepted;
        group.push(first);
    }
    while heartbeats < MAX_GROUP_HEARTBEATS
        && let Ok(next) = receiver.try_recv()
    {
        heartbeats += next.batch.answer.accepted;
        group.push(next);
    }
    group
}

async fn commit(queue: &Queue, clock: &Clock, group: Vec<Waiting>, refused: &AtomicBool) {
    let mut batches = Vec::with_capacity(group.len());
    let mut replies = Vec::with_capacity(group.len());
    // A batch that stands in the group twice is enqueued once, and whoever asked for it the second time is told so.
    let mut places: BTreeMap<Uuid, usize> = BTreeMap::new();
    let mut repeats = Vec::new();
    let mut permits = Vec::new();
    for waiting in group {
        permits.push(waiting._permit);
        let place = batches.len();
        match waiting.batch.id.map(|id| places.entry(id)) {
            Some(Entry::Occupied(first)) => {
                repeats.push((*first.get(), waiting.reply));
                continue;
            }
            Some(Entry::Vacant(entry)) => {
                entry.insert(place);
            }
            None => {}
        }
        batches.push(waiting.batch);
        replies.push(waiting.reply);
    }

    let timer = METRICS.commit_seconds.start_timer();
    let outcome = queue.enqueue(Ring::Http, &batches, clock.now()).await.map_err(Arc::new);
    timer.observe_duration();
    METRICS.commit_batches.inc_by(batches.len() as u64);
    refused.store(outcome.as_ref().is_err_and(|error| lies_in_the_queue(error)), Ordering::Relaxed);
    if let Err(error) = &outcome {
        METRICS.commits_failed.inc();
        tracing::warn!(batches = batches.len(), %error, "enqueue of {} batches failed", batches.len());
    }
    // A client that went away does not hear its answer; its retry, if it sends one, has the batch id.
    for (reply, place) in repeats.into_iter().map(|(place, reply)| (reply, place)) {
        let _ = reply.send(match &outcome {
            Ok(outcomes) => Ok(Enqueued::Duplicate(match &outcomes[place] {
                Enqueued::New => batches[place].answer.clone(),
                Enqueued::Duplicate(answer) => answer.clone(),
            })),
            Err(error) => Err(IntakeError::Queue(Arc::clone(error))),
        });
    }
    for (place, reply) in replies.into_iter().enumerate() {
        let _ = reply.send(match &outcome {
            Ok(outcomes) => Ok(outcomes[place].clone()),
            Err(error) => Err(IntakeError::Queue(Arc::clone(error))),
        });
    }
}
