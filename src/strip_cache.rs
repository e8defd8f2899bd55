//! The strip cache: serialized answers, made once however many ask at once, kept for a limited time and within a limited
//! number of bytes.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use blake2::{Blake2b, Digest, digest::consts::U16};
use bytes::Bytes;
use chrono::SubsecRound;
use serde::Serialize;
use tokio::sync::Semaphore;
use tracing::Instrument;

use crate::{
    clock::Clock,
    metrics::METRICS,
    store::{Store, StoreError, regions::RegionsQuery, strips::StripQuery, videos::VideosQuery},
    strip::{formats::Format, strip},
    video_regions::video_regions,
    videos::videos,
};

/// Bytes of answers kept.
const MAX_BYTES: u64 = 64 << 20;
/// About what an entry takes beside its texts.
const ENTRY_BYTES: usize = 512;
/// The longest an answer without buckets lives: somebody who just sent the first heartbeat is waiting for them.
const MAX_EMPTY_LIFE: Duration = Duration::from_secs(5);

/// How long making an answer may take: a database that has fallen silent must not keep everybody waiting.
const MAX_MAKING: Duration = Duration::from_secs(30);

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Question {
    /// A strip, written in this shape.
    Strip(StripQuery, Format),
    /// The most watched videos.
    Videos(VideosQuery),
    /// The regions of a video.
    Regions(RegionsQuery),
}

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

/// The answers of a process.
#[derive(Clone)]
pub struct StripCache {
    answers: moka::future::Cache<Question, Arc<Answer>>,
    maker: Maker,
    life: Duration,
}

/// What it takes to make an answer.
#[derive(Clone)]
struct Maker {
    store: Store,
    clock: Clock,
    /// Half of the connections: long reads must not keep heartbeats from being accepted.
    places: Arc<Semaphore>,
}

impl Question {
    /// Bytes of its names.
    fn len(&self) -> usize {
        let (video_id, regions) = match self {
            Question::Strip(asked, _) => (asked.video_id.len(), asked.regions.as_slice()),
            Question::Videos(asked) => (0, asked.regions.as_slice()),
            Question::Regions(asked) => (asked.video_id.len(), [].as_slice()),
        };
        video_id + regions.iter().map(String::len).sum::<usize>()
    }
}

struct EachItsOwnLife;

impl moka::Expiry<Question, Arc<Answer>> for EachItsOwnLife {
    fn expire_after_create(&self, _: &Question, answer: &Arc<Answer>, _: Instant) -> Option<Duration> {
        Some(answer.remaining_life())
    }
}

impl StripCache {
    /// A cache whose answers live this long; with no life at all nothing is kept.
    pub fn new(store: Store, clock: Clock, life: Duration) -> Self {
        let answers = moka::future::Cache::builder()
            .max_capacity(MAX_BYTES)
            .weigher(|question: &Question, answer: &Arc<Answer>| {
                let bytes = answer.body.len() + question.len() + ENTRY_BYTES;
                u32::try_from(bytes).unwrap_or(u32::MAX)
            })
            .expire_after(EachItsOwnLife)
            .build();
        let places = Arc::new(Semaphore::new((store.pool_state().max / 2).max(1)));
        StripCache { answers, maker: Maker { store, clock, places }, life }
    }

    /// The answer, from the cache or made now; who asks while it is being made waits for the same one.
    pub async fn answer(&self, question: Question) -> Result<Arc<Answer>, Arc<StoreError>> {
        if self.life.is_zero() {
            METRICS.strip_cache_misses.inc();
            return make(&self.maker, self.life, &question).await.map(Arc::new).map_err(Arc::new);
        }
        if let Some(answer) = self.answers.get(&question).await {
            METRICS.strip_cache_hits.inc();
            return Ok(answer);
        }
        METRICS.strip_cache_misses.inc();
        let (maker, life, asked) = (self.maker.clone(), self.life, question.clone());
        let making = async move {
            // A task of its own: who asked first may hang up, and the others still wait for it.
            let making = async move { make(&maker, life, &asked).await.map(Arc::new) };
            tokio::spawn(making.in_current_span()).await.unwrap_or_else(|error| {
                Err(StoreError::Unavailable(format!("making the strip failed: {error}")))
            })
        };
        self.answers.try_get_with(question, making).await
    }
}

async fn make(maker: &Maker, life: Duration, question: &Question) -> Result<Answer, StoreError> {
    let making = async {
        let _place = maker.places.acquire().await.expect("the places are never closed");
        let _timer = METRICS.strip_making_seconds.start_timer();
        make_unhurried(maker, life, question).await
    };
    tokio::time::timeout(MAX_MAKING, making)
        .await
        .unwrap_or_else(|_| Err(StoreError::Unavailable("no answer in time".into())))
}

async fn make_unhurried(maker: &Maker, life: Duration, question: &Question) -> Result<Answer, StoreError> {
    let Maker { store, clock, .. } = maker;
    match question {
        Question::Strip(asked, format) => {
            let (range, rows) = store.read_strip(asked).await?;
            let mut strip = strip(range, &rows);
            let etag = etag(&format.render(&strip));
            strip.generated_at = Some(clock.now().trunc_subsecs(0));
            Ok(answer(format.render(&strip), format.content_type(), etag, life, strip.buckets.is_empty()))
        }
        Question::Videos(asked) => {
            let (range, rows) = store.read_videos(asked).await?;
            let mut videos = videos(range, rows);
            let etag = etag(&json(&videos));
            videos.generated_at = Some(clock.now().trunc_subsecs(0));
            let content_type = Format::Json.content_type();
            Ok(answer(json(&videos), content_type, etag, life, videos.videos.is_empty()))
        }
        Question::Regions(asked) => {
            let (range, rows) = store.read_regions(asked).await?;
            let mut regions = video_regions(range, rows);
            let etag = etag(&json(&regions));
            regions.generated_at = Some(clock.now().trunc_subsecs(0));
            let content_type = Format::Json.content_type();
            Ok(answer(json(&regions), content_type, etag, life, regions.regions.is_empty()))
        }
    }
}

fn answer(body: Vec<u8>, content_type: &'static str, etag: String, life: Duration, empty: bool) -> Answer {
    let life = if empty { life.min(MAX_EMPTY_LIFE) } else { life };
    Answer { body: body.into(), content_type, etag, life, made_at: Instant::now() }
}

/// Taken while `generated_at` is left out. Weak, as the bytes of two answers with one tag differ in it.
fn etag(body: &[u8]) -> String {
    let digest: [u8; 16] = Blake2b::<U16>::digest(body).into();
    format!("W/\"{:032x}\"", u128::from_be_bytes(digest))
}

fn json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("answers are plain values with string keys")
}
