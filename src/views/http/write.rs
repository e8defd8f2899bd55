//! `POST /v1/views`

use std::sync::Arc;

use axum::{
    Extension,
    extract::{self, RawQuery},
    http::HeaderMap,
    response::Response,
};

use super::{
    State,
    openapi::{self, SendProblems},
};
use crate::{
    access::Caller,
    http::{body::Unread, error::ApiError},
    ingest::http::{Endpoint, Receipt, Sent, receive},
};

/// Takes views; a bad one costs no good one.
#[utoipa::path(
    post,
    path = "/v1/views",
    operation_id = "send_views",
    tag = "views",
    params(
        (
            "Idempotency-Key" = Option<uuid::Uuid>,
            Header,
            description = "The batch's id, for bodies without one: a retry within the dedup window counts once.",
        ),
        (
            "dry_run" = Option<String>,
            Query,
            description = "`1` answers what would become of the body, and stores nothing.",
        ),
    ),
    request_body(
        content(
            (openapi::Body = "application/json"),
            (openapi::Body = "text/plain"),
            (String = "application/x-ndjson"),
        ),
        description = "One view, an array, an envelope, or with `application/x-ndjson` an object a line.",
    ),
    responses(
        (status = 200, description = "With `dry_run`: what would become of them. Nothing is stored.", body = Receipt),
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
    caller: Option<Extension<Caller>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Unread,
) -> Result<Response, ApiError> {
    let sent = Sent { caller: caller.as_deref(), query: query.as_deref(), headers: &headers };
    receive(&app.ingest, Endpoint::Views, sent, body).await
}
