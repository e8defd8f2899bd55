//! Everything that can go wrong with a request. This is the only place that knows status codes; answers are problem
//! details (RFC 9457).

use std::time::Duration;

use axum::{
    http::{HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    events::refusal::{MAX_LISTED, Rejection},
    postgres::StoreError,
    telemetry::request,
};

/// A client should come back after this long when Postgres was away.
pub const RETRY_WHEN_AWAY: Duration = Duration::from_secs(2);

/// A client should come back after this long when the server was busy with others' questions.
const RETRY_WHEN_BUSY: Duration = Duration::from_secs(5);

/// A request that cannot be served is answered with one of these.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ApiError {
    /// 400: the request cannot be understood.
    #[error("{0}")]
    BadRequest(String),
    /// 401: the request needs a key, and has none that is good.
    #[error("{0}")]
    Unauthorized(&'static str),
    /// 403: the key is not good for this.
    #[error("{0}")]
    Forbidden(&'static str),
    /// 404: there is nothing at this address.
    #[error("there is nothing here; the heatmap of a video is at /v1/videos/{{video_id}}/heatmap")]
    NotFound,
    /// 404: the address is one of ours, but there is nothing at it.
    #[error("{0}")]
    Absent(&'static str),
    /// 405: the address is there, but not for this method.
    #[error("{0} is not possible here")]
    MethodNotAllowed(Method),
    /// 408: the body did not arrive.
    #[error("the body did not arrive within {} s", .0.as_secs())]
    BodyTimeout(Duration),
    /// 413: the body is too large.
    #[error("{0}")]
    TooLarge(String),
    /// 415: the body is of a type that is not read.
    #[error("{0}")]
    UnsupportedMediaType(String),
    /// 422: no element of the body is good.
    #[error("none of the {noun} can be accepted")]
    NoneGood {
        /// What the elements are called.
        noun: &'static str,
        /// What is wrong with each.
        rejected: Vec<Rejection>,
    },
    /// 422: the question can be read, yet cannot be answered.
    #[error("{0}")]
    Unprocessable(String),
    /// 429: the sender has spent its budget.
    #[error("this sender asks for too much: send again in {} s", .retry_after.as_secs())]
    TooMany { retry_after: Duration },
    /// 500: a fault of ours.
    #[error("an internal error; it is in the log")]
    Internal,
    /// 503: come back later.
    #[error("{detail}")]
    Unavailable { detail: &'static str, retry_after: Duration },
}

impl ApiError {
    /// Returns a 503 for a database that may be there but does not answer.
    pub fn silent_database() -> Self {
        ApiError::Unavailable {
            detail: "the database does not answer: send a batch again with the same batch_id",
            retry_after: RETRY_WHEN_AWAY,
        }
    }

    fn status(&self) -> StatusCode {
        match self {
            ApiError::BadRequest(_) => StatusCode::BAD_REQUEST,
            ApiError::Unauthorized(_) => StatusCode::UNAUTHORIZED,
            ApiError::Forbidden(_) => StatusCode::FORBIDDEN,
            ApiError::NotFound | ApiError::Absent(_) => StatusCode::NOT_FOUND,
            ApiError::MethodNotAllowed(_) => StatusCode::METHOD_NOT_ALLOWED,
            ApiError::BodyTimeout(_) => StatusCode::REQUEST_TIMEOUT,
            ApiError::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            ApiError::UnsupportedMediaType(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            ApiError::NoneGood { .. } | ApiError::Unprocessable(_) => StatusCode::UNPROCESSABLE_ENTITY,
            ApiError::TooMany { .. } => StatusCode::TOO_MANY_REQUESTS,
            ApiError::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            ApiError::Unavailable { .. } => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

/// The body of every error (RFC 9457).
#[derive(Serialize, ToSchema)]
#[schema(example = json!({
    "type": "about:blank", "title": "Bad Request", "status": 400, "detail": "to must be a day like 2026-11-21"
}))]
pub struct Problem<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    /// The status in words.
    title: Option<&'static str>,
    status: u16,
    /// Says what is wrong and what to do.
    detail: String,
    /// The name of this request in the log, with a 5xx.
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<String>,
    /// 0 if none of the elements was good.
    #[serde(skip_serializing_if = "Option::is_none")]
    accepted: Option<u32>,
    /// The first 100 of the elements, if none was good.
    #[serde(skip_serializing_if = "Option::is_none")]
    rejected: Option<&'a [Rejection]>,
    /// How many there are, if they are more than are listed.
    #[serde(skip_serializing_if = "Option::is_none")]
    rejected_total: Option<usize>,
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let status = self.status();
        let problem = Problem {
            kind: "about:blank",
            title: status.canonical_reason(),
            status: status.as_u16(),
            detail: self.to_string(),
            // The log has the id too, for whoever asks why.
            request_id: request::current()
                .filter(|_| status.is_server_error())
                .map(|request| request.id.clone()),
            accepted: matches!(self, ApiError::NoneGood { .. }).then_some(0),
            rejected: match &self {
                ApiError::NoneGood { rejected, .. } => Some(&rejected[..rejected.len().min(MAX_LISTED)]),
                _ => None,
            },
            rejected_total: match &self {
                ApiError::NoneGood { rejected, .. } => Some(rejected.len()).filter(|&all| all > MAX_LISTED),
                _ => None,
            },
        };
        let body = serde_json::to_vec(&problem).expect("problems are plain values");
        let mut response = (status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        match self {
            ApiError::Unavailable { retry_after, .. } | ApiError::TooMany { retry_after } => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from(retry_after.as_secs()));
            }
            ApiError::Unauthorized(_) => {
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            _ => {}
        }
        response
    }
}

impl From<&StoreError> for ApiError {
    fn from(error: &StoreError) -> Self {
        match error {
            StoreError::Unavailable(_) | StoreError::Conflict(_) => ApiError::Unavailable {
                detail: "the database is not reachable, nothing was accepted",
                retry_after: RETRY_WHEN_AWAY,
            },
            StoreError::OutcomeUnknown(_) => ApiError::Unavailable {
                detail: "the database went away during the commit: send the batch again with the same batch_id",
                retry_after: RETRY_WHEN_AWAY,
            },
            StoreError::Overdue(_) => ApiError::Unavailable {
                detail: "the answer took too long and was given up: ask for fewer days, or for one region",
                retry_after: RETRY_WHEN_BUSY,
            },
            StoreError::Crowded(_) => ApiError::Unavailable {
                detail: "too many answers are being made at once: ask again later",
                retry_after: RETRY_WHEN_BUSY,
            },
            StoreError::Fault(reason) => {
                tracing::error!(reason, "a request met a fault: {reason}");
                ApiError::Internal
            }
            StoreError::BadValue(_) | StoreError::Refused(_) | StoreError::Unsuitable(_) => {
                tracing::error!(%error, "the database refused a request: {error}");
                ApiError::Internal
            }
        }
    }
}
