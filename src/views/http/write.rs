//! `POST /v1/views`

use std::sync::Arc;

use axum::{body::Body, extract, http::HeaderMap, response::Response};

use super::{
    State,
    openapi::{self, SendProblems},
};
use crate::{
    http::error::ApiError,
    ingest::http::{Endpoint, Receipt, receive},
};

/// Takes views; a bad one costs no good one.
#[utoipa::path(
    post,
    path = "/v1/views",
    operation_id = "send_views",
    tag = "views",
    params((
        "Idempotency-Key" = Option<uuid::Uuid>,
        Header,
        description = "The batch's id, for bodies without one: a retry within the dedup window counts once.",
    )),
    request_body(
        content(
            (openapi::Body = "application/json"),
            (openapi::Body = "text/plain"),
            (String = "application/x-ndjson"),
        ),
        description = "One view, an array, an envelope, or with `application/x-ndjson` an object a line.",
    ),
    responses(
        (
            status = 202,
            description = "The accepted ones are durable. Whether each counts is decided when they are folded.",
            body = Receipt,
            example = json!({"accepted": 1, "rejected": [{"index": 1, "field": "viewer_id", "reason": "missing"}]}),
        ),
        SendProblems,
    ),
)]
pub async fn post(
    extract::State(app): extract::State<Arc<State>>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    receive(&app.ingest, Endpoint::Views, &headers, body).await
}
