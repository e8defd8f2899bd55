//! Describes what `POST /v1/heartbeats` reads and answers, for the API's description; the code reads it field by field.

use chrono::{DateTime, Utc};
use utoipa::{IntoResponses, ToSchema};
use uuid::Uuid;

use crate::http::error::Problem;

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
    /// True on the heartbeat with which its session has become a view: it then counts among the video's views too.
    view: Option<bool>,
}

/// Heartbeats with a name of their own, so that a retry counts once.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes what `body::parse` reads")]
pub struct Envelope {
    batch_id: Option<Uuid>,
    #[schema(max_items = 10_000)]
    heartbeats: Vec<Heartbeat>,
}

/// One heartbeat, several, or an envelope.
#[derive(ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "describes what `body::parse` reads")]
pub enum Body {
    One(Heartbeat),
    Several(Vec<Heartbeat>),
    Enveloped(Envelope),
}

/// Heartbeats may be answered with one of these instead.
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
