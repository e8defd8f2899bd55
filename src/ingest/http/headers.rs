//! What the headers of a body say of it.

use axum::http::{HeaderMap, header};
use uuid::Uuid;

use crate::{http::error::ApiError, ingest::body::Format};

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

/// Returns the id of a batch that its head carries.
pub(super) fn idempotency_key(headers: &HeaderMap) -> Result<Option<Uuid>, ApiError> {
    let Some(key) = headers.get("idempotency-key") else {
        return Ok(None);
    };
    // The draft of the header wants a quoted string, but most clients send it bare.
    let text = key.to_str().unwrap_or("").trim_matches('"');
    Uuid::try_parse(text).map(Some).map_err(|_| ApiError::BadRequest("Idempotency-Key must be a UUID".into()))
}

/// Returns the id of a batch that may carry one in its head and one in its body.
pub(super) fn one_id(key: Option<Uuid>, batch_id: Option<Uuid>) -> Result<Option<Uuid>, ApiError> {
    match (key, batch_id) {
        (Some(key), Some(batch_id)) if key != batch_id => {
            Err(ApiError::BadRequest("Idempotency-Key and batch_id differ: send one, or both alike".into()))
        }
        _ => Ok(key.or(batch_id)),
    }
}
