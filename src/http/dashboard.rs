//! `GET /`: the dashboard, embedded in the binary.

use axum::{
    Router,
    http::header,
    response::{IntoResponse, Response},
    routing::get,
};

use super::AppState;

/// The page asks nobody but this server for anything.
const CONTENT_SECURITY_POLICY: &str = "default-src 'self'";

macro_rules! web {
    ($file:literal) => {
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/web/", $file))
    };
}

pub fn router() -> Router<AppState> {
    let script = "text/javascript; charset=utf-8";
    Router::new()
        .route("/", get(async || asset("text/html; charset=utf-8", web!("index.html"))))
        .route("/favicon.svg", get(async || asset("image/svg+xml", web!("favicon.svg"))))
        .route("/dashboard.css", get(async || asset("text/css; charset=utf-8", web!("dashboard.css"))))
        .route("/dashboard.js", get(async move || asset(script, web!("dashboard.js"))))
        .route("/strip_view.js", get(async move || asset(script, web!("strip_view.js"))))
}

fn asset(content_type: &'static str, text: &'static str) -> Response {
    let headers = [
        (header::CONTENT_TYPE, content_type),
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        // An upgrade changes them all at once.
        (header::CACHE_CONTROL, "no-cache"),
    ];
    (headers, text).into_response()
}
