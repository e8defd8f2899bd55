//! The HTTP interface. Everything a request touches hangs off [`AppState`]; what a status code means is in [`error`].

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    http::{HeaderName, Method, header},
    middleware,
};
use tokio::sync::Semaphore;
use tower_http::cors::CorsLayer;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    clock::Clock, intake::Intake, region::Region, salt::Salts, store::Store, strip_cache::StripCache,
};

pub mod error;
mod body;
pub use body::BUDGET_BYTES as BODY_BUDGET_BYTES;
mod assets;
mod health;
mod heartbeats;
mod heatmap;
pub mod metrics;
mod openapi;
mod regions;
mod request_id;
mod videos;

use error::ApiError;

/// How long browsers may remember what CORS allows.
const CORS_MAX_AGE: Duration = Duration::from_secs(86_400);

/// How long a small look-up may take: a Postgres that fell silent, as behind a broken network, refuses nothing and would
/// keep every request waiting.
const LOOK_UP_WAIT: Duration = Duration::from_secs(3);

/// What the handlers work with.
pub struct AppState {
    /// The database.
    pub store: Store,
    /// The salts of the days.
    pub salts: Salts,
    /// The way into the queue.
    pub intake: Intake,
    /// The way out.
    pub strips: StripCache,
    /// The time.
    pub clock: Clock,
    /// The region of heartbeats that name none.
    pub default_region: Region,
    /// The request header, set by a proxy in front, that names it instead.
    pub region_header: Option<HeaderName>,
    /// Whether batch ids are remembered.
    pub dedup: bool,
    /// Bounds the bytes of bodies held at once.
    pub body_budget: Arc<Semaphore>,
}

/// The routes under `/v1`, open to pages of other origins, and their description.
fn v1() -> OpenApiRouter<Arc<AppState>> {
    OpenApiRouter::new()
        .routes(routes!(heartbeats::post))
        .routes(routes!(videos::get))
        .routes(routes!(heatmap::get))
        .routes(routes!(heatmap::picture))
        .routes(routes!(regions::get))
}

/// The routes for whoever watches the process, and their description.
fn root() -> OpenApiRouter<Arc<AppState>> {
    OpenApiRouter::new()
        .routes(routes!(health::live))
        .routes(routes!(health::ready))
        .routes(routes!(metrics::read))
        .routes(routes!(openapi::read))
}

/// All routes; those of pages and their files are in no description.
pub fn router(state: AppState) -> Router {
    let v1 = Router::from(v1())
        .nest("/v1", Router::new().fallback(not_found))
        .method_not_allowed_fallback(method_not_allowed)
        .layer(cors());
    Router::from(root())
        .merge(v1)
        .merge(assets::router())
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(middleware::from_fn(request_id::identify))
        .with_state(Arc::new(state))
}

/// For pages of any origin, without credentials.
fn cors() -> CorsLayer {
    CorsLayer::new()
        .allow_origin(tower_http::cors::Any)
        .allow_methods([Method::GET, Method::POST])
        .allow_headers([header::CONTENT_TYPE, HeaderName::from_static("idempotency-key")])
        .expose_headers([header::RETRY_AFTER, header::ETAG])
        .max_age(CORS_MAX_AGE)
}

/// What a look-up answers, unless it takes too long.
async fn in_time<T>(look_up: impl Future<Output = Result<T, ApiError>>) -> Result<T, ApiError> {
    tokio::time::timeout(LOOK_UP_WAIT, look_up).await.unwrap_or_else(|_| Err(ApiError::silent_database()))
}

async fn not_found() -> ApiError {
    ApiError::NotFound
}

async fn method_not_allowed(method: Method) -> ApiError {
    ApiError::MethodNotAllowed(method)
}
