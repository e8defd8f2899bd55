//! Replays heartbeats of a file or a generator, in chunks, into the queue or to an API elsewhere.
//!
//! A chunk with an id is counted once however often it is sent, so that an interrupted replay is simply run again.

use std::{
    collections::BTreeMap,
    fmt, io,
    time::{Duration, Instant},
};

use chrono::{DateTime, NaiveDate, Utc};
use reqwest::{Client, StatusCode, header};
use serde::Deserialize;
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::{
    catalogue::durations::Durations,
    clock::Clock,
    events::{heartbeat::Arrival, refusal::Reason, region::Region},
    import::file::CHUNK_HEARTBEATS,
    ingest::hash,
    queue::{Batch, Enqueued, Queue, QueueError, batch_ids::Ring},
    viewers::salt::{SaltError, Salts},
};

/// A chunk holds at most this many bytes, because an API takes bodies of up to 1 MiB.
const MAX_CHUNK_BYTES: usize = 900 << 10;
/// A chunk is sent this often to an API that says to come back later.
const MAX_SENDS: u32 = 20;
/// An API may take this long to answer.
const MAX_ANSWER_WAIT: Duration = Duration::from_secs(60);
/// A replay waits this long when the API does not say how long.
const DEFAULT_RETRY: Duration = Duration::from_secs(2);

/// A replay stopped for one of these reasons.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The file could not be read on.
    #[error("cannot read on: {0}")]
    Read(#[from] io::Error),
    /// The queue did not take a chunk.
    #[error("{0}")]
    Queue(#[from] QueueError),
    /// A day's salt cannot be had.
    #[error(transparent)]
    Salt(#[from] SaltError),
    /// The API did not take a chunk.
    #[error("{0}")]
    Api(String),
}

/// The heartbeats go to one of these.
#[expect(clippy::large_enum_variant, reason = "a process makes one of it")]
pub enum Destination {
    /// They go straight into the queue and may be of any age.
    Queue { queue: Queue, salts: Salts, durations: Durations, clock: Clock },
    /// They go to an API, under its limits.
    Api {
        client: Client,
        /// The address of the API, without a path.
        url: String,
        clock: Clock,
    },
}

/// Heartbeats that travel together in one batch.
#[derive(Clone)]
pub struct Chunk {
    /// The chunk is remembered by this id. Heartbeats that cannot be read twice have none.
    pub id: Option<Uuid>,
    /// The place of the chunk's first heartbeat in the whole.
    pub first_index: u64,
    /// The heartbeats as JSON texts.
    pub elements: Vec<String>,
}

/// Says what became of the heartbeats.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// How many were taken now.
    pub accepted: u64,
    /// How many had been taken by an earlier replay of the same file.
    pub known: u64,
    /// For each reason: how many were refused, the place of the first, and the field at fault.
    pub rejected: BTreeMap<Reason, (u64, u64, Option<String>)>,
    /// How many more were refused by an API that lists no more of them.
    pub unlisted: u64,
}

impl fmt::Debug for Chunk {
    /// Leaves out the heartbeats, which hold viewer ids.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Chunk").field("id", &self.id).field("heartbeats", &self.elements.len()).finish()
    }
}

impl Summary {
    /// Counts a refused heartbeat.
    pub fn reject(&mut self, index: u64, field: Option<&str>, reason: Reason) {
        self.rejected.entry(reason).or_insert_with(|| (0, index, field.map(str::to_owned))).0 += 1;
    }
}

/// Cuts heartbeats into chunks, the same ones each time; `id` gives the id of a chunk by its ordinal.
pub fn chunks<'a>(
    elements: impl Iterator<Item = io::Result<String>> + 'a,
    id: impl Fn(u64) -> Option<Uuid> + 'a,
) -> impl Iterator<Item = io::Result<Chunk>> + 'a {
    let mut elements = elements.peekable();
    let (mut ordinal, mut index) = (0, 0);
    std::iter::from_fn(move || {
        elements.peek()?;
        let mut chunk = Chunk { id: id(ordinal), first_index: index, elements: Vec::new() };
        let mut bytes = 0;
        while let Some(next) = elements.next_if(|next| match next {
            Ok(text) => chunk.elements.is_empty() || bytes + text.len() < MAX_CHUNK_BYTES,
            // A chunk that could not be read to its end is not sent: its id stands for the whole of it.
            Err(_) => true,
        }) {
            match next {
                Ok(text) => {
                    bytes += text.len() + 1;
                    chunk.elements.push(text);
                }
                Err(error) => return Some(Err(error)),
            }
            if chunk.elements.len() == CHUNK_HEARTBEATS {
                break;
            }
        }
        ordinal += 1;
        index += chunk.elements.len() as u64;
        Some(Ok(chunk))
    })
}

/// Returns a client for APIs, over TLS too.
pub fn client() -> Client {
    // The process may have chosen a provider already, and any will do.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder().timeout(MAX_ANSWER_WAIT).build().expect("the options are plain values")
}

impl Destination {
    /// Delivers a chunk and notes what became of it; when it returns `Ok` the chunk is durable.
    pub async fn deliver(
        &self,
        chunk: &Chunk,
        default_region: &Region,
        captured_on: Option<NaiveDate>,
        summary: &mut Summary,
    ) -> Result<(), ReplayError> {
        match self {
            Destination::Queue { queue, salts, durations, clock } => {
                let arrival = Arrival {
                    now: clock.now(),
                    default_region: default_region.clone(),
                    max_age: None,
                    captured_on,
                    terms: None,
                };
                enqueue(queue, salts, durations, chunk, &arrival, summary).await
            }
            Destination::Api { client, url, clock } => {
                post(client, url, chunk, captured_on.map(|day| last_instant(day, clock.now())), summary).await
            }
        }
    }
}

async fn enqueue(
    queue: &Queue,
    salts: &Salts,
    durations: &Durations,
    chunk: &Chunk,
    arrival: &Arrival,
    summary: &mut Summary,
) -> Result<(), ReplayError> {
    let elements = chunk.elements.iter().map(String::as_str);
    let parsed = hash::parse(elements, arrival);
    let hashed = hash::hash(parsed, arrival, salts, durations, queue.store().lanes()).await?;
    for rejection in &hashed.rejected {
        summary.reject(chunk.first_index + rejection.index as u64, rejection.field, rejection.reason);
    }
    if hashed.accepted == 0 {
        return Ok(());
    }
    let batch = Batch { id: chunk.id, answer: hashed.answer(), lanes: hashed.lanes };
    match queue.enqueue(Ring::Replay, std::slice::from_ref(&batch), arrival.now).await?.remove(0) {
        Enqueued::New => summary.accepted += batch.answer.accepted as u64,
        Enqueued::Duplicate(answer) => summary.known += answer.accepted as u64,
    }
    Ok(())
}

/// The part of an API's answer that matters here.
#[derive(Deserialize)]
struct Receipt {
    accepted: u64,
    rejected: Vec<ApiRejection>,
    /// There when more were rejected than are listed.
    #[serde(default)]
    rejected_total: u64,
    #[serde(default)]
    duplicate: bool,
}

#[derive(Deserialize)]
struct ApiRejection {
    index: u64,
    field: Option<String>,
    reason: Reason,
}

async fn post(
    client: &Client,
    url: &str,
    chunk: &Chunk,
    at: Option<DateTime<Utc>>,
    summary: &mut Summary,
) -> Result<(), ReplayError> {
    // The chunk is sent as NDJSON, so that a broken line costs no other.
    let lines: Vec<String> = chunk.elements.iter().map(|element| one_line(element, at)).collect();
    let body = lines.join("\n");
    // A chunk without an id of its own gets one for its retries.
    let id = chunk.id.unwrap_or_else(Uuid::now_v7).to_string();
    let first_sent = Instant::now();
    for _ in 0..MAX_SENDS {
        let sent = client
            .post(format!("{url}/v1/heartbeats"))
            .header(header::CONTENT_TYPE, "application/x-ndjson")
            .header("idempotency-key", &id)
            .body(body.clone())
            .send()
            .await;
        let response = match sent {
            Ok(response) => response,
            Err(error) if error.is_connect() => {
                return Err(ReplayError::Api(format!("{url} cannot be reached: is the API running there?")));
            }
            Err(_) => {
                tokio::time::sleep(DEFAULT_RETRY).await;
                is_remembered(client, url, first_sent).await?;
                continue;
            }
        };
        match response.status() {
            StatusCode::ACCEPTED | StatusCode::UNPROCESSABLE_ENTITY => {
                let receipt: Receipt = response
                    .json()
                    .await
                    .map_err(|_| ReplayError::Api(format!("{url} does not answer as heatstrip does")))?;
                summary.unlisted += receipt.rejected_total.saturating_sub(receipt.rejected.len() as u64);
                for rejection in receipt.rejected {
                    summary.reject(
                        chunk.first_index + rejection.index,
                        rejection.field.as_deref(),
                        rejection.reason,
                    );
                }
                *(if receipt.duplicate { &mut summary.known } else { &mut summary.accepted }) +=
                    receipt.accepted;
                return Ok(());
            }
            status @ (StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS) => {
                let said = response.headers().get(header::RETRY_AFTER);
                let secs = said.and_then(|value| value.to_str().ok()?.parse().ok());
                tokio::time::sleep(secs.map_or(DEFAULT_RETRY, Duration::from_secs)).await;
                // Whoever is told that it sends too much was not looked at; a 503 may have been a commit.
                if status == StatusCode::SERVICE_UNAVAILABLE {
                    is_remembered(client, url, first_sent).await?;
                }
            }
            status => {
                let text = response.text().await.unwrap_or_default();
                return Err(ReplayError::Api(format!("{url} answered {status}: {text}")));
            }
        }
    }
    Err(ReplayError::Api(format!("{url} did not take a chunk in {MAX_SENDS} tries")))
}

/// The part of `/readyz` that matters here.
#[derive(Deserialize)]
struct Readiness {
    #[serde(default)]
    dedup_window_secs: u64,
}

/// Waits until the API is ready, and fails unless it still remembers what was first sent then: the chunk may have been
/// counted, and sent once more it would count twice.
async fn is_remembered(client: &Client, url: &str, first_sent: Instant) -> Result<(), ReplayError> {
    for _ in 0..MAX_SENDS {
        let asked = client.get(format!("{url}/readyz")).send().await;
        if let Ok(answer) = asked
            && answer.status() == StatusCode::OK
        {
            let ready: Readiness = answer
                .json()
                .await
                .map_err(|_| ReplayError::Api(format!("{url} does not answer as heatstrip does")))?;
            let window = Duration::from_secs(ready.dedup_window_secs);
            // The answer to the retry may take its time, too.
            if first_sent.elapsed() + MAX_ANSWER_WAIT < window {
                return Ok(());
            }
            return Err(ReplayError::Api(format!(
                "nobody knows whether {url} took the last chunk, and it remembers batch ids for {} s only, so that sent again \
                 it might count twice: compare what it counted before you go on",
                window.as_secs()
            )));
        }
        tokio::time::sleep(DEFAULT_RETRY).await;
    }
    Err(ReplayError::Api(format!(
        "{url} took a chunk or did not, and is not ready: run the same replay again soon, within its dedup window"
    )))
}

/// Returns a heartbeat on one line, captured at another time if one is given.
fn one_line(element: &str, at: Option<DateTime<Utc>>) -> String {
    if let Some(at) = at
        && let Ok(mut fields) = serde_json::from_str::<Map<String, Value>>(element)
    {
        fields.insert("at".into(), at.to_rfc3339().into());
        return Value::Object(fields).to_string();
    }
    // Elements of files are lines already; a line break inside one would cut it in two.
    element.replace(['\n', '\r'], " ")
}

/// Returns the last instant of a day that is not in the future, because an API refuses what is too old.
fn last_instant(day: NaiveDate, now: DateTime<Utc>) -> DateTime<Utc> {
    match day.and_hms_opt(23, 59, 59) {
        Some(end) => end.and_utc().min(now),
        None => now,
    }
}
