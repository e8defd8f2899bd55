//! The intake of counts: elements of many requests become one durable transaction, so that a counter that everybody counts on
//! is locked and written once for all who wait.

use std::{sync::Arc, time::Duration};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

use super::{
    apply::{Outcome, Overflow},
    element::Element,
    metrics::METRICS,
};
use crate::postgres::{Store, StoreError};

/// How long a transaction waits for company if the one before had some: those who were just answered are about to come back.
/// With as many as possible in it a counter that everybody counts on is locked, and the disk waited for, half as often.
const COMPANY_WAIT: Duration = Duration::from_millis(1);
/// Elements one transaction takes at most, a request's own apart: its counters are locked meanwhile.
const MAX_GROUP: usize = 4_000;
/// Elements that may wait for their transaction; at about 300 bytes each this bounds the memory.
const MAX_WAITING: usize = 200_000;
/// How long a request waits before it is told that the outcome is unknown.
const COMMIT_WAIT: Duration = Duration::from_secs(10);

/// Elements were not applied for one of these reasons.
#[derive(Debug, thiserror::Error)]
pub enum IntakeError {
    /// More elements wait than may wait: nothing was done.
    #[error("too many counts are waiting")]
    Full,
    /// The database did not take them, or nobody knows whether it did.
    #[error("{0}")]
    Store(Arc<StoreError>),
    /// No commit in time: it may still come.
    #[error("the commit took too long, its outcome is unknown")]
    TimedOut,
}

/// The answers to the elements of a request, in their order.
pub type Outcomes = Vec<Result<Outcome, Overflow>>;

/// A request's elements that wait for their transaction.
struct Waiting {
    elements: Vec<Element>,
    reply: oneshot::Sender<Result<Outcomes, IntakeError>>,
    /// Given back when the request is answered.
    _permit: OwnedSemaphorePermit,
}

/// Takes elements and answers when they are durable.
#[derive(Clone)]
pub struct Intake {
    sender: mpsc::UnboundedSender<Waiting>,
    waiting: Arc<Semaphore>,
}

impl Intake {
    /// Starts the committer; it ends when the last clone of the intake is dropped and all it took is answered.
    ///
    /// One is enough: two would wait for each other's counters.
    pub fn start(store: &Store) -> Self {
        // Unbounded, as the permits bound it by elements, not by requests.
        let (sender, receiver) = mpsc::unbounded_channel();
        tokio::spawn(commit_groups(store.clone(), receiver));
        Intake { sender, waiting: Arc::new(Semaphore::new(MAX_WAITING)) }
    }

    /// Applies elements in their order; when this returns `Ok` they are durable.
    pub async fn submit(&self, elements: Vec<Element>) -> Result<Outcomes, IntakeError> {
        let permit = Arc::clone(&self.waiting)
            .try_acquire_many_owned(elements.len() as u32)
            .map_err(|_| IntakeError::Full)?;
        let (reply, answered) = oneshot::channel();
        // Cannot fail while the committer lives, and it lives as long as this intake.
        self.sender.send(Waiting { elements, reply, _permit: permit }).map_err(|_| IntakeError::TimedOut)?;
        match tokio::time::timeout(COMMIT_WAIT, answered).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) | Err(_) => Err(IntakeError::TimedOut),
        }
    }
}

async fn commit_groups(store: Store, mut receiver: mpsc::UnboundedReceiver<Waiting>) {
    let mut company = false;
    loop {
        let group = gather(&mut receiver, company).await;
        if group.is_empty() {
            return;
        }
        company = group.len() > 1;
        commit(&store, group).await;
    }
}

/// Waits for one request and takes what came meanwhile; empty when nobody can send any more.
async fn gather(receiver: &mut mpsc::UnboundedReceiver<Waiting>, company: bool) -> Vec<Waiting> {
    let mut group = Vec::new();
    let mut elements = 0;
    if let Some(first) = receiver.recv().await {
        elements += first.elements.len();
        group.push(first);
        if company {
            tokio::time::sleep(COMPANY_WAIT).await;
        }
    }
    while elements < MAX_GROUP
        && let Ok(next) = receiver.try_recv()
    {
        elements += next.elements.len();
        group.push(next);
    }
    group
}

async fn commit(store: &Store, group: Vec<Waiting>) {
    let mut elements = Vec::new();
    let mut replies = Vec::with_capacity(group.len());
    for waiting in group {
        replies.push((waiting.elements.len(), waiting.reply, waiting._permit));
        elements.extend(waiting.elements);
    }
    let timer = METRICS.group_seconds.start_timer();
    let outcome = store.apply_counts(&elements).await.map_err(Arc::new);
    timer.observe_duration();
    METRICS.group_counts.inc_by(elements.len() as u64);
    if let Err(error) = &outcome {
        METRICS.groups_failed.inc();
        tracing::warn!(counts = elements.len(), %error, "a transaction of {} counts failed", elements.len());
    }
    let mut outcomes = outcome.map(Vec::into_iter);
    for (count, reply, _permit) in replies {
        // A client that went away does not hear its answer; its retry is answered `exists`.
        let _ = reply.send(match &mut outcomes {
            Ok(outcomes) => Ok(outcomes.by_ref().take(count).collect()),
            Err(error) => Err(IntakeError::Store(Arc::clone(error))),
        });
    }
}
