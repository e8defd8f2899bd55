//! `GET /metrics`

use std::sync::Arc;

use axum::{
    Router,
    extract::{FromRef, State},
    http::header,
    response::{IntoResponse, Response},
    routing::get,
};

use super::AppState;
use crate::{
    metrics::{CONTENT_TYPE, METRICS},
    store::Store,
};

impl FromRef<Arc<AppState>> for Store {
    fn from_ref(app: &Arc<AppState>) -> Store {
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
