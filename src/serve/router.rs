//! Puts all routes together.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    http::{HeaderName, Method, header},
    middleware,
};
use tower_http::{
    CompressionLevel,
    compression::{
        CompressionLayer, Predicate,
        predicate::{DefaultPredicate, SizeAbove},
    },
    cors::CorsLayer,
};
use utoipa_axum::router::OpenApiRouter;

use super::{assets, below::below, days, health, ledger, metrics, openapi};
use crate::{
    access, audience, catalogue, counters, heatmap,
    http::{error::ApiError, request_id::identify},
    ingest,
    postgres::Store,
    views,
};

/// Browsers may remember for this long what CORS allows.
const CORS_MAX_AGE: Duration = Duration::from_secs(86_400);

/// Shorter answers are sent as they are.
const MIN_COMPRESSED_BYTES: u64 = 1024;

/// The states of the folders that have routes.
pub struct Parts {
    pub ingest: Arc<ingest::http::State>,
    pub heatmap: Arc<heatmap::http::State>,
    pub audience: Arc<audience::http::State>,
    pub catalogue: Arc<catalogue::http::State>,
    pub counters: Arc<counters::http::State>,
    pub views: Arc<views::http::State>,
    /// What the player client is told of views.
    pub view_after_secs: u32,
    pub days: Arc<days::State>,
    pub ledger: Arc<ledger::State>,
    pub health: Arc<health::State>,
    pub gate: Arc<access::http::Gate>,
    pub store: Store,
    /// Everything is served below this path, which is empty or begins with a slash.
    pub base_path: String,
    /// The dashboard may show pictures of videos from these origins.
    pub thumbnail_origins: Vec<String>,
}

/// Returns the routes under `/v1`, open to pages of other origins, and their description.
fn v1(parts: &Parts) -> OpenApiRouter {
    OpenApiRouter::new()
        .merge(ingest::http::routes().with_state(Arc::clone(&parts.ingest)))
        .merge(heatmap::http::routes().with_state(Arc::clone(&parts.heatmap)).layer(compressed()))
        .merge(audience::http::routes().with_state(Arc::clone(&parts.audience)))
        .merge(catalogue::http::routes().with_state(Arc::clone(&parts.catalogue)))
        .merge(days::routes().with_state(Arc::clone(&parts.days)))
        .merge(ledger::routes().with_state(Arc::clone(&parts.ledger)))
        .merge(counters::http::routes().with_state(Arc::clone(&parts.counters)))
        .merge(views::http::routes().with_state(Arc::clone(&parts.views)).layer(compressed()))
}

/// Returns the routes for whoever watches the process, and their description.
fn root(parts: &Parts) -> OpenApiRouter {
    OpenApiRouter::new()
        .merge(health::routes().with_state(Arc::clone(&parts.health)))
        .merge(
            metrics::routes()
                .with_state(parts.store.clone())
                .layer(middleware::from_fn_with_state(Arc::clone(&parts.gate), access::http::local_only)),
        )
        .merge(openapi::routes().with_state(openapi::document(&parts.base_path).into()))
}

/// Returns all routes. Those of pages and their files are in no description.
pub fn router(parts: &Parts) -> Router {
    let v1 = Router::from(v1(parts))
        .nest("/v1", Router::new().fallback(not_found))
        .method_not_allowed_fallback(method_not_allowed)
        .layer((
            middleware::from_fn(identify),
            middleware::from_fn_with_state(Arc::clone(&parts.gate), access::http::preflight),
            cors(),
            middleware::from_fn_with_state(Arc::clone(&parts.gate), access::http::admit),
        ));
    // Routes that are merged keep their own layers. Each layer costs a request two allocations, so every route gets all of its
    // layers at once.
    let router = Router::from(root(parts))
        .merge(assets::pages(&parts.thumbnail_origins).layer(compressed()))
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(middleware::from_fn(identify))
        .merge(v1)
        .merge(assets::embedded(parts.view_after_secs).layer((
            middleware::from_fn(identify),
            cors(),
            compressed(),
        )));
    below(&parts.base_path, router)
}

/// Compresses what is worth it, for whoever takes it: a strip by the second shrinks to a tenth. The fastest level does almost
/// as well as the others.
fn compressed() -> CompressionLayer<impl Predicate + Send + Sync + 'static> {
    CompressionLayer::new()
        .gzip(true)
        .quality(CompressionLevel::Fastest)
        .compress_when(SizeAbove::new(MIN_COMPRESSED_BYTES).and(DefaultPredicate::new()))
}

/// Allows pages of any origin, without credentials.
fn cors() -> CorsLayer {
    CorsLayer::new()
        .allow_origin(tower_http::cors::Any)
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::DELETE])
        .allow_headers([
            header::AUTHORIZATION,
            header::CONTENT_TYPE,
            HeaderName::from_static("idempotency-key"),
        ])
        .expose_headers([header::RETRY_AFTER, header::ETAG, HeaderName::from_static("x-request-id")])
        .max_age(CORS_MAX_AGE)
}

pub(super) async fn not_found() -> ApiError {
    ApiError::NotFound
}

async fn method_not_allowed(method: Method) -> ApiError {
    ApiError::MethodNotAllowed(method)
}
