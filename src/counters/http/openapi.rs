//! The shapes that the routes of counters read and answer, for the API's description; the code reads it field by field.

use chrono::{DateTime, Utc};
use utoipa::{IntoResponses, ToSchema};

use crate::http::error::Problem;

/// Somebody counts something on an object.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes what `element::parse` reads field by field")]
#[schema(example = json!({"member_id": "ann", "object_type": "video", "object_id": "yt_abc123", "kind": "like"}))]
pub struct Count {
    /// Who: 1-256 bytes without control characters; kept, as members are asked for by name.
    #[schema(min_length = 1, max_length = 256)]
    member_id: String,
    /// The sort of thing: 1-128 bytes without control characters and colons.
    #[schema(min_length = 1, max_length = 128, pattern = "^[^:]+$")]
    object_type: String,
    /// Which of them: 1-128 bytes without control characters.
    #[schema(min_length = 1, max_length = 128)]
    object_id: String,
    /// One of the kinds there are.
    kind: String,
    /// 1 or -1, for `signed` kinds -1,000,000 to 1,000,000; else 1.
    #[schema(minimum = -1_000_000, maximum = 1_000_000, default = 1)]
    delta: Option<i32>,
    /// At most 48 h old and 5 min ahead; else now.
    at: Option<DateTime<Utc>>,
    /// 1-128 bytes, best a UUID: what makes a retry count once. Remembered for 7 days.
    #[schema(min_length = 1, max_length = 128)]
    id: Option<String>,
}

/// Several counts.
#[derive(ToSchema)]
#[schema(as = CountEnvelope)]
#[expect(dead_code, reason = "describes what `body::parse` reads")]
pub struct Envelope {
    #[schema(max_items = 10_000)]
    counts: Vec<Count>,
}

/// One count, several, or an envelope.
#[derive(ToSchema)]
#[schema(as = CountBody)]
#[serde(untagged)]
#[expect(dead_code, reason = "describes what `body::parse` reads")]
pub enum Body {
    One(Count),
    Several(Vec<Count>),
    Enveloped(Envelope),
}

/// What counts may be answered instead.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "describes what `ApiError` answers")]
pub enum WriteProblems {
    /// Not UTF-8, not JSON, neither object nor array, or a bad envelope.
    #[response(status = 400, content_type = "application/problem+json")]
    BadRequest(Problem<'static>),
    /// The body did not arrive in time.
    #[response(status = 408, content_type = "application/problem+json")]
    Timeout(Problem<'static>),
    /// More than 1 MiB or 10,000 counts: send less at once.
    #[response(status = 413, content_type = "application/problem+json")]
    TooLarge(Problem<'static>),
    /// Another content type, or a compressed body; `detail` names the header to send.
    #[response(status = 415, content_type = "application/problem+json")]
    UnsupportedMediaType(Problem<'static>),
    /// None of the counts is good: see `rejected`.
    #[response(status = 422, content_type = "application/problem+json")]
    NoneGood(Problem<'static>),
    /// An internal error; it is in the log.
    #[response(status = 500, content_type = "application/problem+json")]
    Internal(Problem<'static>),
    /// Too many wait, Postgres is away, or the outcome of the commit is unknown: send the same counts again, with the same
    /// ids.
    #[response(status = 503, content_type = "application/problem+json",
        headers(("retry-after" = u32, description = "Seconds after which to send again.")))]
    Unavailable(Problem<'static>),
}
