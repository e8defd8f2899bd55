//! `x-request-id` gives a request one name in the logs of everybody it passes.

use std::{panic::AssertUnwindSafe, sync::Arc, time::Instant};

use axum::{
    extract::MatchedPath,
    http::{HeaderName, HeaderValue, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use futures_util::FutureExt;
use uuid::Uuid;

use super::error::ApiError;
use super::metrics::METRICS;
use crate::telemetry::request::{self, Request};

/// The header that names a request.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Requests that no route is for are logged and counted under this name, because their paths are anybody's words.
const NO_ROUTE: &str = "none";
/// A longer id is not taken over.
const MAX_ID_BYTES: usize = 128;

/// Takes the id of a proxy in front, or makes one. Log lines of the request carry it, and so does the answer, which is
/// counted with the time it took. Everything that goes around every request is done here, because each layer of a
/// router costs a request two allocations.
pub async fn identify(path: Option<MatchedPath>, request: axum::extract::Request, next: Next) -> Response {
    let taken = request.headers().get(&REQUEST_ID).and_then(|id| id.to_str().ok()).filter(|id| is_sane(id));
    let id = taken.map_or_else(|| Uuid::new_v4().to_string(), str::to_owned);
    let value = HeaderValue::from_str(&id).expect("a sane id is a header value");
    let route = path.as_ref().map_or(NO_ROUTE, MatchedPath::as_str);
    let name = Arc::new(Request { id, method: request.method().to_string(), route: route.to_owned() });
    let answering = async {
        let started = Instant::now();
        let answer = AssertUnwindSafe(next.run(request)).catch_unwind().await;
        let response = answer.unwrap_or_else(|_| ApiError::Internal.into_response());
        let (status, took) = (response.status(), started.elapsed());
        METRICS.request(route, status.as_str(), took);
        let status = status.as_u16();
        tracing::debug!(status, took_ms = took.as_secs_f64() * 1000.0, "answered {status}");
        response
    };
    let mut response = request::answering(name, answering).await;
    let headers = response.headers_mut();
    headers.insert(REQUEST_ID, value);
    // Video ids of strangers stand in the answers, so no browser may take an answer for a page.
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// Returns true if a log may repeat the id: it holds no more than the ids that proxies make.
fn is_sane(id: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:=+/".contains(&byte);
    (1..=MAX_ID_BYTES).contains(&id.len()) && id.bytes().all(is_plain)
}

#[cfg(test)]
mod tests {
    use axum::{Router, body::Body, http::StatusCode, middleware, routing::get};
    use tower::ServiceExt;

    use super::*;

    #[tokio::test]
    async fn a_panic_costs_its_own_request_only() {
        let router = Router::new()
            .route("/", get(async || -> StatusCode { panic!("a bug") }))
            .layer(middleware::from_fn(identify));
        let request =
            axum::extract::Request::get("/").header(REQUEST_ID, "id-of-the-bug").body(Body::empty());
        let response = router.oneshot(request.expect("a request")).await.expect("an answer");
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(response.headers()[REQUEST_ID], "id-of-the-bug");
        assert_eq!(response.headers()[header::CONTENT_TYPE], "application/problem+json");
    }
}
