//! `GET /metrics`, and what counts the requests.

use std::time::Instant;

use axum::{
    Router,
    extract::{FromRef, MatchedPath, Request, State},
    http::header,
    middleware::Next,
    response::{IntoResponse, Response},
    routing::get,
};

use super::AppState;
use crate::{
    metrics::{CONTENT_TYPE, METRICS},
    store::Store,
};

/// The route of requests that no route is for: their paths are anybody's words.
const NO_ROUTE: &str = "none";

impl FromRef<AppState> for Store {
    fn from_ref(app: &AppState) -> Store {
        app.store.clone()
    }
}

/// Of processes that serve nothing else.
pub fn router(store: Store) -> Router {
    Router::new().route("/metrics", get(read)).with_state(store)
}

/// The metrics of this process, as Prometheus collects them.
#[utoipa::path(get, path = "/metrics", operation_id = "metrics", tag = "operations",
    responses((status = 200, description = "The text format.", body = String, content_type = "text/plain")))]
pub async fn read(State(store): State<Store>) -> Response {
    let headers = [(header::CONTENT_TYPE, CONTENT_TYPE), (header::CACHE_CONTROL, "no-store")];
    (headers, METRICS.text(&store.pool_state())).into_response()
}

/// Counts a request and its time once it is answered.
pub async fn count(path: Option<MatchedPath>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let response = next.run(request).await;
    let route = path.as_ref().map_or(NO_ROUTE, MatchedPath::as_str);
    METRICS.request(route, response.status().as_str(), started.elapsed());
    response
}
