//! `GET /openapi.json`, made of the handlers' own descriptions; the page at `/docs` shows it.

use std::sync::LazyLock;

use axum::{
    http::header,
    response::{IntoResponse, Response},
};
use chrono::{DateTime, Utc};
use utoipa::{
    IntoResponses, OpenApi, ToSchema,
    openapi::{HeaderBuilder, Object, RefOr, schema::Type},
};
use uuid::Uuid;

use super::{error::Problem, root, v1};
use crate::strip::{
    Strip,
    formats::{Columns, Marker, Retention},
};

/// What stands above the routes.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "heatstrip",
        description = "Which seconds of a video people watch, and how many different people watched each.",
        license(name = "Apache-2.0 OR MIT", identifier = "Apache-2.0 OR MIT"),
    ),
    servers((url = "/")),
    tags(
        (name = "heartbeats", description = "What players send."),
        (name = "strips", description = "What is read."),
        (name = "operations", description = "For whoever watches the process."),
    ),
)]
struct Head;

/// The document, as it is served.
pub static DOCUMENT: LazyLock<String> = LazyLock::new(|| {
    let mut document = Head::openapi();
    document.merge(root().into_openapi());
    document.merge(v1().into_openapi());
    for item in document.paths.paths.values_mut() {
        for operation in [&mut item.get, &mut item.post].into_iter().flatten() {
            for response in operation.responses.responses.values_mut() {
                if let RefOr::T(response) = response {
                    let id = HeaderBuilder::new()
                        .schema(Some(Object::with_type(Type::String)))
                        .description(Some("What the log calls this request: as it was sent, or made here."));
                    response.headers.insert("x-request-id".to_owned(), id.build().into());
                }
            }
        }
    }
    document.to_pretty_json().expect("the document is plain data")
});

/// This document.
#[utoipa::path(get, path = "/openapi.json", tag = "operations",
    responses((status = 200, description = "The OpenAPI document.", body = Object, content_type = "application/json")))]
pub async fn read() -> Response {
    let headers = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-cache")];
    (headers, DOCUMENT.as_str()).into_response()
}

// -- what the handlers take and answer, where they do not say it by a type of their own --

/// A viewer was present for the seconds `start_sec` to `end_sec`, both included.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes what `heartbeat::parse` reads field by field")]
#[schema(example = json!({"video_id": "yt_abc123", "region": "JP", "start_sec": 8, "end_sec": 47, "viewer_id": "sess_91f2"}))]
pub struct Heartbeat {
    /// 1-128 bytes without control characters.
    #[schema(min_length = 1, max_length = 128)]
    video_id: String,
    /// 1-256 bytes without control characters; hashed on arrival, never stored.
    #[schema(min_length = 1, max_length = 256)]
    viewer_id: String,
    #[schema(minimum = 0, maximum = 86399)]
    start_sec: u32,
    /// Not before `start_sec`, and at most 600 seconds with it.
    #[schema(minimum = 0, maximum = 86399)]
    end_sec: u32,
    /// 2-16 of `A-Z 0-9 -`, never `GLOBAL`; else the region header's, else the default.
    #[schema(pattern = "^[A-Za-z0-9-]{2,16}$")]
    region: Option<String>,
    /// At most 48 h old and 5 min ahead; else now.
    at: Option<DateTime<Utc>>,
    /// The video's length, which then bounds `end_sec`.
    #[schema(minimum = 1)]
    duration_sec: Option<f64>,
}

/// Heartbeats with a name of their own, so that a retry counts once.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes what `heartbeat_body::parse` reads")]
pub struct Envelope {
    batch_id: Option<Uuid>,
    #[schema(max_items = 10_000)]
    heartbeats: Vec<Heartbeat>,
}

/// One heartbeat, several, or an envelope.
#[derive(ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "describes what `heartbeat_body::parse` reads")]
pub enum Body {
    One(Heartbeat),
    Several(Vec<Heartbeat>),
    Enveloped(Envelope),
}

/// A strip in one of its JSON shapes.
#[derive(ToSchema)]
#[serde(untagged)]
#[schema(example = json!({
    "video_id": "yt_abc123", "regions": ["JP"], "resolution": 5, "from": "2026-11-21", "to": "2026-11-21",
    "scope": "viewers", "viewers": 41287, "seconds_played": 1298214, "peak": 41000, "relative_error": 0.01625,
    "exact": false, "generated_at": "2026-11-21T10:00:00Z",
    "buckets": [{"bucket": 0, "viewers": 41000, "seconds_played": 252110, "replay": 1.2298, "retention": 1.0,
        "reached": 41287}]
}))]
#[expect(dead_code, reason = "describes what `Format::render` writes")]
pub enum AnyStrip {
    Json(Strip),
    Columns(Columns),
    YtDlp(Vec<Marker>),
    PeerTube(Retention),
}

/// The names of the formats.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
#[expect(dead_code, reason = "describes what `Format::parse` reads")]
pub enum FormatName {
    Json,
    Csv,
    Columns,
    YtDlp,
    PeerTube,
}

/// What every read may be answered instead.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "describes what `ApiError` answers")]
pub enum ReadProblems {
    /// A parameter cannot be read; `detail` says which and how to write it.
    #[response(status = 400, content_type = "application/problem+json")]
    BadRequest(Problem<'static>),
    /// An internal error; it is in the log.
    #[response(status = 500, content_type = "application/problem+json")]
    Internal(Problem<'static>),
    /// Postgres is away.
    #[response(status = 503, content_type = "application/problem+json",
        headers(("retry-after" = u32, description = "Seconds after which to ask again.")))]
    Unavailable(Problem<'static>),
}

/// What heartbeats may be answered instead.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "describes what `ApiError` answers")]
pub enum SendProblems {
    /// Not UTF-8, not JSON, neither object nor array, or a bad envelope.
    #[response(status = 400, content_type = "application/problem+json")]
    BadRequest(Problem<'static>),
    /// The body did not arrive in time.
    #[response(status = 408, content_type = "application/problem+json")]
    Timeout(Problem<'static>),
    /// More than 1 MiB or 10,000 heartbeats: send less at once.
    #[response(status = 413, content_type = "application/problem+json")]
    TooLarge(Problem<'static>),
    /// Another content type, or a compressed body; `detail` names the header to send.
    #[response(status = 415, content_type = "application/problem+json")]
    UnsupportedMediaType(Problem<'static>),
    /// None of the heartbeats is good: see `rejected`.
    #[response(status = 422, content_type = "application/problem+json")]
    NoneGood(Problem<'static>),
    /// An internal error; it is in the log.
    #[response(status = 500, content_type = "application/problem+json")]
    Internal(Problem<'static>),
    /// The queue is full, Postgres is away, or the outcome of the commit is unknown: send the same batch again, with the
    /// same batch id.
    #[response(status = 503, content_type = "application/problem+json",
        headers(("retry-after" = u32, description = "Seconds after which to send again.")))]
    Unavailable(Problem<'static>),
}
