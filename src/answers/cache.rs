//! The cache of answers: each is made once however many ask at once, and kept for a limited time and within a limited
//! number of bytes. It knows no capability: who asks brings the work along.

use std::{
    sync::Arc,
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

/// Bytes of answers kept.
const MAX_BYTES: u64 = 64 << 20;
/// About what an entry takes beside its texts.
const ENTRY_BYTES: usize = 512;
/// The longest an empty answer lives: somebody who just sent the first heartbeat is waiting for it.
const MAX_EMPTY_LIFE: Duration = Duration::from_secs(5);
/// How long making an answer may take: a database that has fallen silent must not keep everybody waiting.
const MAX_MAKING: Duration = Duration::from_secs(30);

/// A serialized answer.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The text.
    pub body: Bytes,
    /// Its media type.
    pub content_type: &'static str,
    /// A weak entity tag over everything but `generated_at`.
    pub etag: String,
    /// How long it may be served from the moment it was made.
    life: Duration,
    made_at: Instant,
}

impl Answer {
    /// How long it may still be served.
    pub fn remaining_life(&self) -> Duration {
        self.life.saturating_sub(self.made_at.elapsed())
    }
}

/// What the work behind an answer brings.
pub struct Made {
    /// Writes the answer, with the moment it was made or without.
    pub render: Box<dyn FnMut(Option<DateTime<Utc>>) -> Vec<u8> + Send>,
    /// Its media type.
    pub content_type: &'static str,
    /// Whether there was nothing to say.
    pub empty: bool,
}

/// The answers of a process.
#[derive(Clone)]
pub struct AnswerCache {
    answers: moka::future::Cache<String, Arc<Answer>>,
    clock: Clock,
    /// Half of the connections: long reads must not keep heartbeats from being accepted.
    places: Arc<Semaphore>,
    life: Duration,
}

struct EachItsOwnLife;

impl moka::Expiry<String, Arc<Answer>> for EachItsOwnLife {
    fn expire_after_create(&self, _: &String, answer: &Arc<Answer>, _: Instant) -> Option<Duration> {
        Some(answer.remaining_life())
    }
}

impl AnswerCache {
    /// A cache whose answers live this long; with no life at all nothing is kept.
    pub fn new(store: &Store, clock: Clock, life: Duration) -> Self {
        let answers = moka::future::Cache::builder()
            .max_capacity(MAX_BYTES)
            .weigher(|key: &String, answer: &Arc<Answer>| {
                u32::try_from(answer.body.len() + key.len() + ENTRY_BYTES).unwrap_or(u32::MAX)
            })
            .expire_after(EachItsOwnLife)
            .build();
        let places = Arc::new(Semaphore::new((store.pool_state().max / 2).max(1)));
        AnswerCache { answers, clock, places, life }
    }

    /// The answer to a question, from the cache or made now by `make`; who asks while it is being made waits for the same
    /// one. `key` names the question among those of all capabilities.
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
        METRICS.strip_cache_misses.inc();
        let cache = self.clone();
        let making = async move {
            // A task of its own: who asked first may hang up, and the others still wait for it.
            let making = async move { cache.make(make).await.map(Arc::new) };
            tokio::spawn(request::carried(request::current(), making)).await.unwrap_or_else(|error| {
                Err(StoreError::Unavailable(format!("making the answer failed: {error}")).into())
            })
        };
        self.answers.try_get_with(key, making).await
    }

    async fn make<E: From<StoreError>>(
        &self,
        make: impl Future<Output = Result<Made, E>>,
    ) -> Result<Answer, E> {
        let making = async {
            let _place = self.places.acquire().await.expect("the places are never closed");
            let _timer = METRICS.strip_making_seconds.start_timer();
            make.await
        };
        let made = tokio::time::timeout(MAX_MAKING, making)
            .await
            .unwrap_or_else(|_| Err(StoreError::Unavailable("no answer in time".into()).into()))?;
        Ok(self.answer(made))
    }

    fn answer(&self, Made { mut render, content_type, empty }: Made) -> Answer {
        let etag = etag(&render(None));
        let body = render(Some(self.clock.now().trunc_subsecs(0))).into();
        let life = if empty { self.life.min(MAX_EMPTY_LIFE) } else { self.life };
        Answer { body, content_type, etag, life, made_at: Instant::now() }
    }
}

/// Taken while `generated_at` is left out. Weak, as the bytes of two answers with one tag differ in it.
fn etag(body: &[u8]) -> String {
    let digest: [u8; 16] = Blake2b::<U16>::digest(body).into();
    format!("W/\"{:032x}\"", u128::from_be_bytes(digest))
}
