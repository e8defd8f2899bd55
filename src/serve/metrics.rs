//! `GET /metrics`

use std::sync::LazyLock;

use axum::{
    Router,
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    access, answers, catalogue, http, ingest,
    postgres::{self, Store},
    telemetry::registry::{self, CONTENT_TYPE},
    viewers, views, work,
};

/// Returns the route and its description.
pub fn routes() -> OpenApiRouter<Store> {
    OpenApiRouter::new().routes(routes!(read))
}

/// Returns the route alone, for processes that serve nothing else.
pub fn router(store: Store) -> Router {
    Router::from(routes()).with_state(store)
}

/// The metrics of this process, as Prometheus collects them.
#[utoipa::path(get, path = "/metrics", operation_id = "metrics", tag = "operations",
    responses(
        (status = 200, description = "The text format.", body = String, content_type = "text/plain"),
        (status = 403, description = "Metrics are for this machine, unless they have a listener of their own.", body = http::error::Problem, content_type = "application/problem+json"),
    ))]
pub async fn read(State(store): State<Store>) -> Response {
    register();
    postgres::metrics::METRICS.pool(&store.pool_state());
    let headers = [(header::CONTENT_TYPE, CONTENT_TYPE), (header::CACHE_CONTROL, "no-store")];
    (headers, registry::text()).into_response()
}

/// Makes the metrics of every folder, so that none is missing before its first event.
fn register() {
    LazyLock::force(&access::metrics::METRICS);
    LazyLock::force(&answers::metrics::METRICS);
    LazyLock::force(&catalogue::metrics::METRICS);
    LazyLock::force(&http::metrics::METRICS);
    LazyLock::force(&ingest::metrics::METRICS);
    LazyLock::force(&viewers::metrics::METRICS);
    LazyLock::force(&views::metrics::METRICS);
    LazyLock::force(&work::metrics::METRICS);
}
