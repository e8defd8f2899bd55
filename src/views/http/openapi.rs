//! Describes what `POST /v1/views` reads and answers, for the API's description; the code reads it field by field.

use chrono::{DateTime, Utc};
use utoipa::{IntoResponses, ToSchema};
use uuid::Uuid;

use crate::http::error::Problem;

/// A viewer has viewed a video, or any other content with an id.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes what `view::parse` reads field by field")]
#[schema(example = json!({"video_id": "yt_abc123", "region": "JP", "viewer_id": "sess_91f2"}))]
pub struct View {
    /// 1-128 bytes without control characters.
    #[schema(min_length = 1, max_length = 128)]
    video_id: String,
    /// 1-256 bytes without control characters; hashed on arrival, never stored.
    #[schema(min_length = 1, max_length = 256)]
    viewer_id: String,
    /// 2-16 of `A-Z 0-9 -`, never `GLOBAL`; else the region header's, else the default.
    #[schema(pattern = "^[A-Za-z0-9-]{2,16}$")]
    region: Option<String>,
    /// At most 48 h old and 5 min ahead; else now.
    at: Option<DateTime<Utc>>,
}

/// Views with a name of their own, so that a retry counts once.
#[derive(ToSchema)]
#[schema(as = ViewEnvelope)]
#[expect(dead_code, reason = "describes what `body::parse` reads")]
pub struct Envelope {
    batch_id: Option<Uuid>,
    #[schema(max_items = 10_000)]
    views: Vec<View>,
}

/// One view, several, or an envelope.
#[derive(ToSchema)]
#[schema(as = ViewBody)]
#[serde(untagged)]
#[expect(dead_code, reason = "describes what `body::parse` reads")]
pub enum Body {
    One(View),
    Several(Vec<View>),
    Enveloped(Envelope),
}

/// Views may be answered with one of these instead.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "describes what `ApiError` answers")]
pub enum SendProblems {
    /// Not UTF-8, not JSON, neither object nor array, or a bad envelope.
    #[response(status = 400, content_type = "application/problem+json")]
    BadRequest(Problem<'static>),
    /// The body did not arrive in time.
    #[response(status = 408, content_type = "application/problem+json")]
    Timeout(Problem<'static>),
    /// More than 1 MiB or 10,000 views: send less at once.
    #[response(status = 413, content_type = "application/problem+json")]
    TooLarge(Problem<'static>),
    /// Another content type, or a compressed body; `detail` names the header to send.
    #[response(status = 415, content_type = "application/problem+json")]
    UnsupportedMediaType(Problem<'static>),
    /// None of the views is good: see `rejected`.
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

/// An identification may be answered with one of these instead.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "describes what `ApiError` answers")]
pub enum IdentifyProblems {
    /// Not UTF-8, not JSON, or not one object.
    #[response(status = 400, content_type = "application/problem+json")]
    BadRequest(Problem<'static>),
    /// The body did not arrive in time.
    #[response(status = 408, content_type = "application/problem+json")]
    Timeout(Problem<'static>),
    /// The body is too large.
    #[response(status = 413, content_type = "application/problem+json")]
    TooLarge(Problem<'static>),
    /// An id is empty or a placeholder, both are the same, or the user is itself a device that is bound.
    #[response(status = 422, content_type = "application/problem+json")]
    Refused(Problem<'static>),
    /// An internal error; it is in the log.
    #[response(status = 500, content_type = "application/problem+json")]
    Internal(Problem<'static>),
    /// Postgres is away: ask again, and the work goes on where it was.
    #[response(status = 503, content_type = "application/problem+json",
        headers(("retry-after" = u32, description = "Seconds after which to ask again.")))]
    Unavailable(Problem<'static>),
}
