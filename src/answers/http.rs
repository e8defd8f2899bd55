//! Sends an answer with the validators that let its holder keep it.

use axum::{
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};

use super::cache::Answer;
use crate::http::caching::holds;

/// Returns an answer with its validators, or 304 to whoever holds it already.
pub fn cached(answer: &Answer, request: &HeaderMap) -> Response {
    let max_age = answer.remaining_life().as_secs();
    let validators = [
        (header::ETAG, answer.etag.clone()),
        (header::CACHE_CONTROL, format!("public, max-age={max_age}, stale-while-revalidate=60")),
    ];
    if holds(request, &answer.etag) {
        return (StatusCode::NOT_MODIFIED, validators).into_response();
    }
    (validators, [(header::CONTENT_TYPE, answer.content_type)], answer.body.clone()).into_response()
}
