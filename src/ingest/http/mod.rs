//! `POST /v1/heartbeats`, and how any endpoint takes elements into the queue.

mod errors;
mod headers;
mod retries;

pub use headers::format;

use std::{borrow::Cow, sync::Arc, time::Duration};

use axum::{
    Extension, Json,
    extract::{self, RawQuery},
    http::{HeaderMap, HeaderName, StatusCode, header},
    response::{IntoResponse, Response},
};
use blake2::{Blake2b, Digest, digest::consts::U16};
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use headers::{idempotency_key, one_id};
use retries::{Remembered, accepted_before, accepted_while_open};

use super::{
    body, cost,
    hash::{self, Hashed},
    intake::Intake,
    metrics::METRICS,
    openapi::{self, SendProblems},
};
use crate::{
    access::Caller,
    catalogue::durations::Durations,
    clock::Clock,
    events::{
        heartbeat::{Arrival, MAX_AGE, video_of},
        refusal::{CutList, Rejection},
        region::Region,
    },
    http::{
        self,
        body::{BodyBudget, Unread},
        error::ApiError,
    },
    ledger::{
        Element,
        refused::{self, Gathered, Refused},
    },
    postgres::Store,
    queue::{Enqueued, batch_ids::Accepted},
    viewers::salt::Salts,
};

/// A client should come back after this long when the queue was full, because the workers need a moment.
const RETRY_WHEN_FULL: Duration = Duration::from_secs(5);

/// An endpoint that takes elements into the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Endpoint {
    Heartbeats,
    Views,
}

impl Endpoint {
    /// Returns what the elements are called.
    fn noun(self) -> &'static str {
        match self {
            Endpoint::Heartbeats => "heartbeats",
            Endpoint::Views => "views",
        }
    }

    /// Returns what the ledger calls them.
    fn element(self) -> Element {
        match self {
            Endpoint::Heartbeats => Element::Heartbeat,
            Endpoint::Views => Element::View,
        }
    }

    /// Returns the id under which a batch is remembered: clients may give batches of two endpoints the same one.
    fn remembered(self, batch_id: Uuid) -> Uuid {
        match self {
            Endpoint::Heartbeats => batch_id,
            Endpoint::Views => {
                let mut hasher = Blake2b::<U16>::new();
                hasher.update(b"heatstrip batch of views\0");
                hasher.update(batch_id.as_bytes());
                uuid::Builder::from_custom_bytes(hasher.finalize().into()).into_uuid()
            }
        }
    }
}

/// The state that the routes work with.
pub struct State {
    pub store: Store,
    pub salts: Salts,
    /// What the catalogue knows bounds heartbeats, whatever they claim.
    pub durations: Durations,
    pub intake: Intake,
    pub clock: Clock,
    pub default_region: Region,
    /// The request header, set by a proxy in front, that names the region of such heartbeats instead.
    pub region_header: Option<HeaderName>,
    /// Batch ids are remembered for so long; none if they are not.
    pub dedup_window: Option<Duration>,
    /// Bounds the bytes of bodies held at once.
    pub body_budget: Arc<BodyBudget>,
    /// What is refused, for the ledger.
    pub gathered: Gathered,
}

/// Returns the route and its description.
pub fn routes() -> OpenApiRouter<Arc<State>> {
    OpenApiRouter::new().routes(routes!(post))
}

/// What comes with a body.
#[derive(Clone, Copy)]
pub struct Sent<'a> {
    /// Whoever sends; none where no key is needed.
    pub caller: Option<&'a Caller>,
    pub query: Option<&'a str>,
    pub headers: &'a HeaderMap,
}

/// The sender of a batch gets this once the batch is durable.
#[derive(Serialize, ToSchema)]
pub struct Receipt {
    /// How many are durable.
    accepted: usize,
    /// The others, the first 100 of them.
    #[schema(value_type = Vec<Rejection>)]
    rejected: Box<RawValue>,
    /// How many there are, if they are more than are listed.
    #[schema(required = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    rejected_total: Option<usize>,
    /// There when the batch was accepted before and was not counted again.
    #[schema(required = false)]
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    duplicate: bool,
}

/// Takes heartbeats; a bad one costs no good one.
#[utoipa::path(
    post,
    path = "/v1/heartbeats",
    operation_id = "heartbeats",
    tag = "heartbeats",
    params(
        (
            "Idempotency-Key" = Option<Uuid>,
            Header,
            description = "The batch's id, for bodies without one: a retry within the dedup window counts once.",
        ),
        (
            "dry_run" = Option<String>,
            Query,
            description = "`1` answers what would become of the body, and stores nothing.",
        ),
    ),
    request_body(
        content(
            (openapi::Body = "application/json"),
            (openapi::Body = "text/plain"),
            (String = "application/x-ndjson"),
        ),
        description = "One heartbeat, an array, an envelope, or with `application/x-ndjson` an object a line.",
    ),
    responses(
        (status = 200, description = "With `dry_run`: what would become of them. Nothing is stored.", body = Receipt),
        (
            status = 202,
            description = "The accepted ones are durable.",
            body = Receipt,
            example = json!({"accepted": 1, "rejected": [{"index": 1, "field": "end_sec", "reason": "end_before_start"}]}),
        ),
        SendProblems,
    ),
)]
pub async fn post(
    extract::State(app): extract::State<Arc<State>>,
    caller: Option<Extension<Caller>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Unread,
) -> Result<Response, ApiError> {
    let sent = Sent { caller: caller.as_deref(), query: query.as_deref(), headers: &headers };
    receive(&app, Endpoint::Heartbeats, sent, body).await
}

/// Takes the elements of a body into the queue and answers once they are durable.
pub async fn receive(
    app: &State,
    endpoint: Endpoint,
    sent: Sent<'_>,
    body: Unread,
) -> Result<Response, ApiError> {
    // The body is read before anything can be refused: a client that is still sending would not read why.
    let Sent { caller, query, headers } = sent;
    let received = body.read(&app.body_budget).await?;
    let format = format(headers)?;
    let key = idempotency_key(headers)?;
    let is_dry = |pair: &str| ["dry_run=1", "dry_run=true"].contains(&pair);
    if query.is_some_and(|query| query.split('&').any(is_dry)) {
        let parsed = body::parse(&received.bytes, format, endpoint.noun())?;
        one_id(key, parsed.batch_id)?;
        return dry_run(app, endpoint, sent, &parsed.elements).await;
    }
    let mut refused = Refused::default();
    let (batch_id, hashed) = match body::parse(&received.bytes, format, endpoint.noun()) {
        Ok(body) => {
            (one_id(key, body.batch_id)?, hash(app, endpoint, sent, &body.elements, &mut refused).await)
        }
        Err(error) => (key, Err(error.into())),
    };
    let batch = Remembered::of(app, endpoint, caller, batch_id);
    // From here on only hashes are held, however long the commit takes.
    drop(received);
    let outcome = match hashed {
        Ok(hashed) => enqueue(app, batch, hashed).await,
        Err(error) => Err(error),
    };
    let (answer, duplicate) = match outcome {
        Ok((answer, duplicate)) => (answer, duplicate),
        // A batch that was accepted before is answered as it was then, whatever is wrong with it or with us by now. A
        // batch that succeeds needs no look-up of its own, because the transaction that enqueues it makes sure.
        // What is no batch at all was never accepted, and costs the database nothing; nor does what cannot be paid for,
        // which the gate would not have let in a moment later.
        Err(error @ (ApiError::BadRequest(_) | ApiError::TooLarge(_) | ApiError::TooMany { .. })) => {
            return Err(error);
        }
        Err(error) => match accepted_before(app, batch).await {
            Ok(Some(known)) => (known, true),
            Ok(None) => {
                // Whoever is told to come back brings the same elements again.
                if let ApiError::NoneGood { .. } = error {
                    app.gathered.merge(refused);
                }
                return Err(error);
            }
            // The sender has to know that this try may have gone through.
            Err(_) if matches!(error, ApiError::Unavailable { .. }) => return Err(error),
            Err(look_up) => return Err(look_up),
        },
    };
    match duplicate {
        true => METRICS.duplicate_batches.inc(),
        false => {
            METRICS.accepted(endpoint).inc_by(answer.accepted as u64);
            app.gathered.merge(refused);
        }
    }
    let (rejected, rejected_total) = listed(answer.rejected);
    let receipt = Receipt { accepted: answer.accepted, rejected, rejected_total, duplicate };
    Ok((StatusCode::ACCEPTED, [(header::CACHE_CONTROL, "no-store")], Json(receipt)).into_response())
}

/// Returns the rejections that are listed, and how many there are if some are not.
fn listed(kept: String) -> (Box<RawValue>, Option<usize>) {
    const AS_WRITTEN: &str = "rejections are kept as they were serialized";
    if kept.starts_with('{') {
        let cut: CutList<Box<RawValue>> = serde_json::from_str(&kept).expect(AS_WRITTEN);
        return (cut.listed, Some(cut.total));
    }
    (RawValue::from_string(kept).expect(AS_WRITTEN), None)
}

/// Answers what would become of a body; nothing is stored or counted, but it costs its sender as much.
async fn dry_run(
    app: &State,
    endpoint: Endpoint,
    sent: Sent<'_>,
    elements: &[&str],
) -> Result<Response, ApiError> {
    let answer = read(app, endpoint, sent, elements, true).await?.answer();
    let (rejected, rejected_total) = listed(answer.rejected);
    let receipt = Receipt { accepted: answer.accepted, rejected, rejected_total, duplicate: false };
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(receipt)).into_response())
}

/// Reads the elements of a body, takes what they cost from their sender's budget, and hashes them. Of a dry run nothing is
/// held that others would have to make room for.
async fn read(
    app: &State,
    endpoint: Endpoint,
    sent: Sent<'_>,
    elements: &[&str],
    is_dry: bool,
) -> Result<Hashed, ApiError> {
    let arrival = Arrival {
        now: app.clock.now(),
        default_region: region(app, sent.headers),
        max_age: Some(MAX_AGE),
        captured_on: None,
        terms: sent.caller.map(Caller::terms),
    };
    let pay = |watched_secs| sent.caller.map_or(Ok(()), |caller| caller.tell(watched_secs));
    let (elements, salts, lanes) = (elements.iter().copied(), &app.salts, app.store.lanes());
    match endpoint {
        Endpoint::Heartbeats => {
            let parsed = hash::parse(elements, &arrival);
            pay(cost::of_heartbeats(&parsed))?;
            // Durations and a day's salt may have to be looked up.
            http::in_time(async {
                let videos = parsed.iter().flatten().map(|heartbeat| &*heartbeat.video_id);
                let durations = match is_dry {
                    true => app.durations.of_unheld(videos).await,
                    false => app.durations.of(videos).await,
                }
                .map_err(|error| ApiError::from(&error))?;
                Ok(hash::hash_within(parsed, &arrival, salts, &durations, lanes).await?)
            })
            .await
        }
        Endpoint::Views => {
            let parsed = hash::parse_views(elements, &arrival);
            pay(cost::of_views(&parsed))?;
            http::in_time(async { Ok(hash::hash_views(parsed, &arrival, salts, lanes).await?) }).await
        }
    }
}

async fn hash(
    app: &State,
    endpoint: Endpoint,
    sent: Sent<'_>,
    elements: &[&str],
    refused: &mut Refused,
) -> Result<Hashed, ApiError> {
    let hashed = read(app, endpoint, sent, elements, false).await?;
    let (day, element) = (app.clock.today(), endpoint.element());
    for &Rejection { index, reason, .. } in &hashed.rejected {
        METRICS.rejected(endpoint).with_label_values(&[reason.name()]).inc();
        let video_id = video_of(elements[index]).map(Cow::into_owned);
        refused.add(refused::Row { video_id, day, element, reason }, 1);
    }
    if hashed.accepted == 0 {
        return Err(ApiError::NoneGood { noun: endpoint.noun(), rejected: hashed.rejected });
    }
    Ok(hashed)
}

async fn enqueue(
    app: &State,
    batch: Option<Remembered>,
    hashed: Hashed,
) -> Result<(Accepted, bool), ApiError> {
    if let Some(answer) = accepted_while_open(app, batch).await? {
        return Ok((answer, true));
    }
    let answer = hashed.answer();
    match app.intake.submit(batch.map(|batch| batch.id), hashed).await? {
        Enqueued::New => Ok((answer, false)),
        Enqueued::Duplicate(answer) => Ok((answer, true)),
    }
}

fn region(app: &State, headers: &HeaderMap) -> Region {
    let named = app.region_header.as_ref().and_then(|name| headers.get(name)?.to_str().ok());
    named.and_then(|text| Region::parse(text).ok()).unwrap_or_else(|| app.default_region.clone())
}
