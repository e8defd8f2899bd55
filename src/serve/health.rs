//! `GET /healthz` tells that the process lives, and `GET /readyz` that it can serve.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    Json, extract,
    http::header,
    response::{IntoResponse, Response},
};
use chrono::{DateTime, Utc};
use serde::Serialize;
use tokio::sync::Mutex;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    clock::Clock,
    http::{error::ApiError, in_time, problems::ReadProblems},
    ingest::intake::Intake,
    postgres::StoreError,
    queue::{Queue, QueueError},
};

/// A queue row older than this is worth a word: no worker runs, or it cannot keep up.
const OLD_ROW_SECS: i64 = 60;

/// Between two looks at the database, however many ask.
const LOOK_PERIOD: Duration = Duration::from_secs(1);

/// The state that the probes look at.
pub struct State {
    queue: Queue,
    /// The intake knows how much is queued.
    intake: Intake,
    clock: Clock,
    /// How long batch ids are remembered, none if they are not.
    dedup_window: Option<Duration>,
    /// The last look; held while somebody looks, so that all who ask meanwhile wait for the same look.
    last: Mutex<Option<Look>>,
}

/// What a look at the database found.
struct Look {
    at: Instant,
    /// When the oldest queued heartbeat was accepted; an error if the database cannot serve.
    oldest: Result<Option<DateTime<Utc>>, ApiError>,
}

impl State {
    /// Returns the state of a server that has not looked yet.
    pub fn new(queue: Queue, intake: Intake, clock: Clock, dedup_window: Option<Duration>) -> State {
        State { queue, intake, clock, dedup_window, last: Mutex::default() }
    }

    /// Returns when the oldest queued heartbeat was accepted, as it was at most a second ago. Anybody may ask, as often as
    /// they like.
    async fn oldest_queued(&self) -> Result<Option<DateTime<Utc>>, ApiError> {
        let mut last = self.last.lock().await;
        if let Some(look) = last.as_ref().filter(|look| look.at.elapsed() < LOOK_PERIOD) {
            return look.oldest.clone();
        }
        let unavailable = |error: &QueueError| {
            tracing::warn!(%error, "not ready: {error}");
            ApiError::from(error)
        };
        let oldest = in_time(async {
            self.queue.store().check().await.map_err(|error| unavailable(&error.into()))?;
            self.queue.check().await.map_err(|error| unavailable(&error))?;
            if self.intake.is_refused() {
                let reason = "the last commit failed, and none succeeds yet".into();
                return Err(unavailable(&StoreError::Unavailable(reason).into()));
            }
            self.queue.oldest().await.map_err(|error| unavailable(&error))
        })
        .await;
        *last = Some(Look { at: Instant::now(), oldest: oldest.clone() });
        oldest
    }
}

/// Returns the routes of the probes and their description.
pub fn routes() -> OpenApiRouter<Arc<State>> {
    OpenApiRouter::new().routes(routes!(live)).routes(routes!(ready))
}

/// Says that the process lives.
#[derive(Serialize, ToSchema)]
struct Alive {
    /// `alive`.
    status: &'static str,
}

/// Says that the process can serve.
#[derive(Serialize, ToSchema)]
struct Ready {
    /// `ready`.
    status: &'static str,
    /// Heartbeats that wait to be folded, as sampled once a second.
    queued_heartbeats: u64,
    /// For how long a batch id makes a retry safe; 0 if it does not.
    dedup_window_secs: u64,
    /// The age of the oldest queued heartbeat, if folding is far behind.
    #[serde(skip_serializing_if = "Option::is_none")]
    oldest_queue_row_secs: Option<i64>,
    /// The same in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    warning: Option<&'static str>,
}

/// Tells whether the process lives.
#[utoipa::path(get, path = "/healthz", operation_id = "healthz", tag = "operations",
    responses((status = 200, description = "It does.", body = Alive)))]
pub async fn live() -> Response {
    ([(header::CACHE_CONTROL, "no-store")], Json(Alive { status: "alive" })).into_response()
}

/// Tells whether the process can serve.
///
/// It can when Postgres answers, takes writes, and has the schema this program knows or a newer one, and when the NATS stream that is the queue, if one is, has room. A queue that grows old is named but no reason to refuse:
/// it is the worker's trouble, and taking the API away would not help.
#[utoipa::path(get, path = "/readyz", operation_id = "readyz", tag = "operations",
    responses((status = 200, description = "It can.", body = Ready), ReadProblems))]
pub async fn ready(extract::State(app): extract::State<Arc<State>>) -> Result<Response, ApiError> {
    let oldest = app.oldest_queued().await?;
    let age_secs = oldest.map(|oldest| (app.clock.now() - oldest).num_seconds());
    let old_secs = age_secs.filter(|&secs| secs > OLD_ROW_SECS);
    let body = Ready {
        status: "ready",
        // Counting is left to the sampler: whoever asks every second must not make a deep queue slower.
        queued_heartbeats: app.intake.queued(),
        dedup_window_secs: app.dedup_window.map_or(0, |window| window.as_secs()),
        oldest_queue_row_secs: old_secs,
        warning: old_secs.map(|_| "heartbeats wait to be folded: is a worker running?"),
    };
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(body)).into_response())
}
