//! The cache of answers. It makes each answer once, however many ask at the same time, and keeps it for a limited time
//! and within a limited number of bytes. It knows no capability: whoever asks brings the work along.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use blake2::{Blake2b, Digest, digest::consts::U16};
use bytes::Bytes;
use chrono::{DateTime, SubsecRound, Utc};
use tokio::sync::Semaphore;

use super::metrics::METRICS;
use crate::{
    clock::Clock,
    postgres::{Store, StoreError},
    telemetry::request,
};

/// The cache keeps at most this many bytes of answers.
const MAX_BYTES: u64 = 64 << 20;
/// An entry takes about this many bytes beside its texts.
const ENTRY_BYTES: usize = 512;
/// An empty answer lives no longer than this, because somebody who just sent the first heartbeat is waiting for it.
const MAX_EMPTY_LIFE: Duration = Duration::from_secs(5);
/// Making an answer may take this long unless the setting says otherwise: a database that has fallen silent must not keep
/// everybody waiting.
const MAX_MAKING: Duration = Duration::from_secs(30);

/// A serialized answer.
#[derive(Debug, Clone)]
pub struct Answer {
    pub body: Bytes,
    pub content_type: &'static str,
    /// A weak entity tag over everything but `generated_at`.
    pub etag: String,
    /// The answer may be served for this long from the moment it was made.
    life: Duration,
    made_at: Instant,
}

impl Answer {
    /// Returns how long the answer may still be served.
    pub fn remaining_life(&self) -> Duration {
        self.life.saturating_sub(self.made_at.elapsed())
    }
}

/// The work behind an answer returns this.
pub struct Made {
    /// Writes the answer with the moment it was made, or without it for the entity tag.
    pub render: Box<dyn FnMut(Option<DateTime<Utc>>) -> Vec<u8> + Send>,
    pub content_type: &'static str,
    /// True if there was nothing to say; such an answer is kept for a short time only.
    pub empty: bool,
}

/// The answers that one process keeps.
#[derive(Clone)]
pub struct AnswerCache {
    answers: moka::future::Cache<String, Arc<Answer>>,
    clock: Clock,
    /// Half of the connections may make answers: long reads must not keep heartbeats from being accepted.
    places: Arc<Semaphore>,
    life: Duration,
    /// The work behind an answer may take this long from when it starts, and may wait as long for its place.
    deadline: Duration,
}

struct EachItsOwnLife;

impl moka::Expiry<String, Arc<Answer>> for EachItsOwnLife {
    fn expire_after_create(&self, _: &String, answer: &Arc<Answer>, _: Instant) -> Option<Duration> {
        Some(answer.remaining_life())
    }
}

impl AnswerCache {
    /// Returns a cache whose answers live this long. With no life at all it keeps nothing.
    pub fn new(store: &Store, clock: Clock, life: Duration) -> Self {
        let answers = moka::future::Cache::builder()
            .max_capacity(MAX_BYTES)
            .weigher(|key: &String, answer: &Arc<Answer>| {
                u32::try_from(answer.body.len() + key.len() + ENTRY_BYTES).unwrap_or(u32::MAX)
            })
            .expire_after(EachItsOwnLife)
            .build();
        let places = Arc::new(Semaphore::new((store.pool_state().max / 2).max(1)));
        AnswerCache { answers, clock, places, life, deadline: MAX_MAKING }
    }

    /// Lets the work behind an answer take this long.
    pub fn with_deadline(self, deadline: Duration) -> Self {
        AnswerCache { deadline, ..self }
    }

    /// Returns the answer to a question, from the cache or made now by `make`; whoever asks while it is being made
    /// waits for the same one. `key` names the question among those of all capabilities.
    pub async fn get<E>(
        &self,
        key: String,
        make: impl Future<Output = Result<Made, E>> + Send + 'static,
    ) -> Result<Arc<Answer>, Arc<E>>
    where
        E: From<StoreError> + Send + Sync + 'static,
    {
        if self.life.is_zero() {
            METRICS.strip_cache_misses.inc();
            return self.make(make).await.map(Arc::new).map_err(Arc::new);
        }
        if let Some(answer) = self.answers.get(&key).await {
            METRICS.strip_cache_hits.inc();
            return Ok(answer);
        }
        let cache = self.clone();
        // Whoever waits for an answer that is just being made has not made it.
        let made_here = AtomicBool::new(false);
        let making = async {
            made_here.store(true, Ordering::Relaxed);
            // The answer is made in a task of its own: whoever asked first may hang up while others still wait for it.
            let making = async move { cache.make(make).await.map(Arc::new) };
            tokio::spawn(request::carried(request::current(), making)).await.unwrap_or_else(|error| {
                Err(StoreError::Fault(format!("making the answer failed: {error}")).into())
            })
        };
        let answer = self.answers.try_get_with(key, making).await;
        match made_here.into_inner() {
            true => METRICS.strip_cache_misses.inc(),
            false => METRICS.strip_cache_hits.inc(),
        }
        answer
    }

    async fn make<E: From<StoreError>>(
        &self,
        make: impl Future<Output = Result<Made, E>>,
    ) -> Result<Answer, E> {
        let secs = self.deadline.as_secs();
        let place = tokio::time::timeout(self.deadline, self.places.acquire()).await;
        let _place = place.map_err(|_| StoreError::Crowded(secs))?.expect("the places are never closed");
        let timer = METRICS.strip_making_seconds.start_timer();
        // What is given up is dropped, by which its statement is cancelled.
        let made = tokio::time::timeout(self.deadline, make).await;
        timer.observe_duration();
        Ok(self.answer(made.unwrap_or_else(|_| Err(StoreError::Overdue(secs).into()))?))
    }

    fn answer(&self, Made { mut render, content_type, empty }: Made) -> Answer {
        let etag = etag(&render(None));
        let body = render(Some(self.clock.now().trunc_subsecs(0))).into();
        let life = if empty { self.life.min(MAX_EMPTY_LIFE) } else { self.life };
        Answer { body, content_type, etag, life, made_at: Instant::now() }
    }
}

/// Returns the tag of an answer written without `generated_at`. It is weak, because the bytes of two answers with one
/// tag differ in that field.
fn etag(body: &[u8]) -> String {
    let digest: [u8; 16] = Blake2b::<U16>::digest(body).into();
    format!("W/\"{:032x}\"", u128::from_be_bytes(digest))
}
