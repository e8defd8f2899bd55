//! Scripts that pages of other sites load, and their types: the player client, embedded in the binary.

use std::hash::Hasher;

use axum::{
    Router,
    http::{HeaderMap, HeaderName, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use fnv::FnvHasher;

use super::{AppState, heatmap::holds};

/// Players load it with every page: an upgrade reaches them within the hour, and nobody waits for it.
const CACHE_CONTROL: &str = "public, max-age=3600, stale-while-revalidate=86400";

macro_rules! script {
    ($file:literal) => {
        get(async |request: HeaderMap| {
            script(&request, include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/web/", $file)))
        })
    };
}

pub fn router() -> Router<AppState> {
    Router::new()
        .route("/heatstrip.js", script!("heatstrip.js"))
        .route("/heatstrip.classic.js", script!("heatstrip.classic.js"))
        .route("/heatstrip.d.ts", script!("heatstrip.d.ts"))
}

fn script(request: &HeaderMap, text: &'static str) -> Response {
    let mut hasher = FnvHasher::default();
    hasher.write(text.as_bytes());
    let etag = format!("\"{:016x}\"", hasher.finish());
    let headers = [
        (header::CACHE_CONTROL, CACHE_CONTROL),
        // Also for pages that are isolated from other sites (COEP) and load it without CORS.
        (HeaderName::from_static("cross-origin-resource-policy"), "cross-origin"),
    ];
    if holds(request, &etag) {
        return (StatusCode::NOT_MODIFIED, headers, [(header::ETAG, etag)]).into_response();
    }
    let content_type = [(header::CONTENT_TYPE, "text/javascript; charset=utf-8")];
    (headers, [(header::ETAG, etag)], content_type, text).into_response()
}
