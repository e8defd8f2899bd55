//! `POST /v1/heartbeats`, and how any endpoint takes elements into the queue.

use std::{sync::Arc, time::Duration};

use axum::{
    Json,
    body::Body,
    extract,
    http::{HeaderMap, HeaderName, StatusCode, header},
    response::{IntoResponse, Response},
};
use blake2::{Blake2b, Digest, digest::consts::U16};
use serde::Serialize;
use serde_json::value::RawValue;
use tokio::sync::Semaphore;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use super::{
    body::{self, BodyError, Format},
    hash::{self, Hashed},
    intake::{Intake, IntakeError},
    metrics::METRICS,
    openapi::{self, SendProblems},
};
use crate::{
    catalogue::durations::Durations,
    clock::Clock,
    events::{
        heartbeat::{Arrival, MAX_AGE},
        refusal::Rejection,
        region::Region,
    },
    http::{
        self,
        error::{ApiError, RETRY_WHEN_AWAY},
    },
    postgres::Store,
    queue::{
        Enqueued,
        batch_ids::{Accepted, Ring},
    },
    viewers::salt::{SaltError, Salts},
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
    /// True if batch ids are remembered.
    pub dedup: bool,
    /// Bounds the bytes of bodies held at once.
    pub body_budget: Arc<Semaphore>,
}

/// Returns the route and its description.
pub fn routes() -> OpenApiRouter<Arc<State>> {
    OpenApiRouter::new().routes(routes!(post))
}

/// The sender of a batch gets this once the batch is durable.
#[derive(Serialize, ToSchema)]
pub struct Receipt {
    /// How many are durable.
    accepted: usize,
    /// The others.
    #[schema(value_type = Vec<Rejection>)]
    rejected: Box<RawValue>,
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
    params((
        "Idempotency-Key" = Option<Uuid>,
        Header,
        description = "The batch's id, for bodies without one: a retry within the dedup window counts once.",
    )),
    request_body(
        content(
            (openapi::Body = "application/json"),
            (openapi::Body = "text/plain"),
            (String = "application/x-ndjson"),
        ),
        description = "One heartbeat, an array, an envelope, or with `application/x-ndjson` an object a line.",
    ),
    responses(
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
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    receive(&app, Endpoint::Heartbeats, &headers, body).await
}

/// Takes the elements of a body into the queue and answers once they are durable.
pub async fn receive(
    app: &State,
    endpoint: Endpoint,
    headers: &HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    // The body is read before anything can be refused: a client that is still sending would not read why.
    let received = http::body::read(headers, body, &app.body_budget).await?;
    let format = format(headers)?;
    let key = idempotency_key(headers)?;
    let (batch_id, hashed) = match body::parse(&received.bytes, format, endpoint.noun()) {
        Ok(body) => (one_id(key, body.batch_id)?, hash(app, endpoint, headers, body.elements).await),
        Err(error) => (key, Err(error.into())),
    };
    let batch_id = batch_id.map(|batch_id| endpoint.remembered(batch_id));
    // From here on only hashes are held, however long the commit takes.
    drop(received);
    let outcome = match hashed {
        Ok(hashed) => enqueue(app, batch_id, hashed).await,
        Err(error) => Err(error),
    };
    let (answer, duplicate) = match outcome {
        Ok((answer, duplicate)) => (answer, duplicate),
        // A batch that was accepted before is answered as it was then, whatever is wrong with it or with us by now. A
        // batch that succeeds needs no look-up of its own, because the transaction that enqueues it makes sure.
        Err(error) => match accepted_before(app, batch_id).await {
            Ok(known) => (known.ok_or(error)?, true),
            // The sender has to know that this try may have gone through.
            Err(_) if matches!(error, ApiError::Unavailable { .. }) => return Err(error),
            Err(look_up) => return Err(look_up),
        },
    };
    match duplicate {
        true => METRICS.duplicate_batches.inc(),
        false => METRICS.accepted(endpoint).inc_by(answer.accepted as u64),
    }
    let rejected =
        RawValue::from_string(answer.rejected).expect("rejections are kept as they were serialized");
    let receipt = Receipt { accepted: answer.accepted, rejected, duplicate };
    Ok((StatusCode::ACCEPTED, [(header::CACHE_CONTROL, "no-store")], Json(receipt)).into_response())
}

/// Returns the id of a batch that may carry one in its head and one in its body.
fn one_id(key: Option<Uuid>, batch_id: Option<Uuid>) -> Result<Option<Uuid>, ApiError> {
    match (key, batch_id) {
        (Some(key), Some(batch_id)) if key != batch_id => {
            Err(ApiError::BadRequest("Idempotency-Key and batch_id differ: send one, or both alike".into()))
        }
        _ => Ok(key.or(batch_id)),
    }
}

async fn hash(
    app: &State,
    endpoint: Endpoint,
    headers: &HeaderMap,
    elements: Vec<&str>,
) -> Result<Hashed, ApiError> {
    let arrival = Arrival {
        now: app.clock.now(),
        default_region: region(app, headers),
        max_age: Some(MAX_AGE),
        captured_on: None,
    };
    // A day's salt may have to be looked up.
    let hashed = http::in_time(async {
        let (elements, salts, lanes) = (elements.into_iter(), &app.salts, app.store.lanes());
        match endpoint {
            Endpoint::Heartbeats => hash::hash(elements, &arrival, salts, &app.durations, lanes).await,
            Endpoint::Views => hash::hash_views(elements, &arrival, salts, lanes).await,
        }
        .map_err(ApiError::from)
    })
    .await?;
    for rejection in &hashed.rejected {
        METRICS.rejected(endpoint).with_label_values(&[rejection.reason.name()]).inc();
    }
    if hashed.accepted == 0 {
        return Err(ApiError::NoneGood { noun: endpoint.noun(), rejected: hashed.rejected });
    }
    Ok(hashed)
}

async fn enqueue(app: &State, batch_id: Option<Uuid>, hashed: Hashed) -> Result<(Accepted, bool), ApiError> {
    let answer = hashed.answer();
    match app.intake.submit(batch_id.filter(|_| app.dedup), hashed).await? {
        Enqueued::New => Ok((answer, false)),
        Enqueued::Duplicate(answer) => Ok((answer, true)),
    }
}

async fn accepted_before(app: &State, batch_id: Option<Uuid>) -> Result<Option<Accepted>, ApiError> {
    let Some(batch_id) = batch_id.filter(|_| app.dedup) else {
        return Ok(None);
    };
    let mut known = http::in_time(async {
        app.store.accepted_batches(Ring::Http, &[batch_id]).await.map_err(|error| ApiError::from(&error))
    })
    .await?;
    Ok(known.remove(&batch_id))
}

/// How the headers say that the body is to be read.
pub fn format(headers: &HeaderMap) -> Result<Format, ApiError> {
    if let Some(encoding) = headers.get(header::CONTENT_ENCODING)
        && !encoding.as_bytes().eq_ignore_ascii_case(b"identity")
    {
        return Err(ApiError::UnsupportedMediaType(
            "compressed bodies are not read: send the body without a Content-Encoding header".into(),
        ));
    }
    let Some(content_type) = headers.get(header::CONTENT_TYPE) else {
        return Ok(Format::Json);
    };
    let content_type = String::from_utf8_lossy(content_type.as_bytes());
    let essence = content_type.split(';').next().unwrap_or("").trim().to_ascii_lowercase();
    match essence.as_str() {
        // sendBeacon sends the second for a string and the third for bytes.
        "application/json" | "text/plain" | "" => Ok(Format::Json),
        "application/x-ndjson" => Ok(Format::Ndjson),
        other => Err(ApiError::UnsupportedMediaType(format!(
            "{other:?} is not read: send Content-Type: application/json (or text/plain), \
             or application/x-ndjson for an object a line"
        ))),
    }
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<Uuid>, ApiError> {
    let Some(key) = headers.get("idempotency-key") else {
        return Ok(None);
    };
    // The draft of the header wants a quoted string, but most clients send it bare.
    let text = key.to_str().unwrap_or("").trim_matches('"');
    Uuid::try_parse(text).map(Some).map_err(|_| ApiError::BadRequest("Idempotency-Key must be a UUID".into()))
}

fn region(app: &State, headers: &HeaderMap) -> Region {
    let named = app.region_header.as_ref().and_then(|name| headers.get(name)?.to_str().ok());
    named.and_then(|text| Region::parse(text).ok()).unwrap_or_else(|| app.default_region.clone())
}

impl From<BodyError> for ApiError {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::TooMany { .. } => ApiError::TooLarge(error.to_string()),
            _ => ApiError::BadRequest(error.to_string()),
        }
    }
}

impl From<SaltError> for ApiError {
    fn from(error: SaltError) -> Self {
        match &error {
            SaltError::Store(error) => ApiError::from(error),
            // Another process opened today's epoch. Others can hash, or this one once it is started anew.
            SaltError::OtherSalt { .. } => {
                tracing::error!(%error, "heartbeats cannot be hashed: {error}");
                ApiError::Unavailable {
                    detail: "this server does not know the salt of the day, nothing was accepted",
                    retry_after: RETRY_WHEN_AWAY,
                }
            }
            SaltError::Destroyed(_) | SaltError::NotKept(_) => {
                tracing::error!(%error, "a heartbeat cannot be hashed: {error}");
                ApiError::Internal
            }
        }
    }
}

impl From<IntakeError> for ApiError {
    fn from(error: IntakeError) -> Self {
        match error {
            IntakeError::Full => ApiError::Unavailable {
                detail: "the queue is full, nothing was accepted",
                retry_after: RETRY_WHEN_FULL,
            },
            IntakeError::TimedOut => ApiError::Unavailable {
                detail: "the commit took too long: send the batch again with the same batch_id",
                retry_after: RETRY_WHEN_AWAY,
            },
            IntakeError::Salt(error) => error.into(),
            IntakeError::Store(error) => ApiError::from(&*error),
        }
    }
}
