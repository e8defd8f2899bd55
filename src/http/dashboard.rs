//! `GET /` and what it loads: the dashboard and the `<heat-strip>` component, embedded in the binary.

use std::sync::Arc;

use axum::{
    Router,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use blake2::{Blake2b, Digest, digest::consts::U16};

use super::{AppState, cors, heatmap::is_held};

/// The page asks nobody but this server for anything.
const CONTENT_SECURITY_POLICY: &str = "default-src 'self'";

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

/// A file of `web/`.
struct Asset {
    path: &'static str,
    content_type: &'static str,
    text: &'static str,
}

macro_rules! assets {
    ($($path:literal $content_type:ident $file:literal;)*) => {
        &[$(Asset {
            path: $path,
            content_type: $content_type,
            text: include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/web/", $file)),
        }),*]
    };
}

/// The dashboard's own.
const DASHBOARD: &[Asset] = assets! {
    "/" HTML "index.html";
    "/favicon.svg" SVG "favicon.svg";
    "/dashboard.css" CSS "dashboard.css";
    "/pages.css" CSS "pages.css";
    "/dashboard.js" SCRIPT "dashboard.js";
    "/route.js" SCRIPT "route.js";
    "/api.js" SCRIPT "api.js";
    "/dom.js" SCRIPT "dom.js";
    "/controls.js" SCRIPT "controls.js";
    "/home.js" SCRIPT "home.js";
    "/video.js" SCRIPT "video.js";
    "/curves.js" SCRIPT "curves.js";
    "/days.js" SCRIPT "days.js";
    "/share.js" SCRIPT "share.js";
    "/vendor/uPlot.esm.js" SCRIPT "vendor/uPlot.esm.js";
    "/vendor/uPlot.min.css" CSS "vendor/uPlot.min.css";
};

/// The component and what it imports: for pages of any origin.
const COMPONENT: &[Asset] = assets! {
    "/heat-strip.js" SCRIPT "heat-strip.js";
    "/heat_strip_style.js" SCRIPT "heat_strip_style.js";
    "/strip_view.js" SCRIPT "strip_view.js";
    "/moments.js" SCRIPT "moments.js";
    "/format.js" SCRIPT "format.js";
};

pub fn router() -> Router<AppState> {
    routes(DASHBOARD).merge(routes(COMPONENT).layer(cors()))
}

fn routes(assets: &'static [Asset]) -> Router<AppState> {
    assets.iter().fold(Router::new(), |router, asset| {
        let etag: Arc<str> = etag(asset.text).into();
        router.route(asset.path, get(async move |headers: HeaderMap| asset.answer(&etag, &headers)))
    })
}

impl Asset {
    /// Asked for anew each time, as an upgrade changes them all at once; unchanged, that is a 304.
    fn answer(&self, etag: &str, request: &HeaderMap) -> Response {
        let validators = [(header::ETAG, etag), (header::CACHE_CONTROL, "no-cache")];
        if is_held(request, etag) {
            return (StatusCode::NOT_MODIFIED, validators).into_response();
        }
        let headers = [
            (header::CONTENT_TYPE, self.content_type),
            (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        ];
        (validators, headers, self.text).into_response()
    }
}

fn etag(text: &str) -> String {
    let digest: [u8; 16] = Blake2b::<U16>::digest(text).into();
    format!("\"{:032x}\"", u128::from_be_bytes(digest))
}
