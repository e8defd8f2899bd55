//! The files that browsers load, embedded in the binary: the dashboard, the API's description, and the scripts that
//! pages of other sites embed, which are the `<heat-strip>` component and the player client with its types.

use std::{borrow::Cow, hash::Hasher, sync::Arc};

use axum::{
    Router,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use bytes::Bytes;
use fnv::FnvHasher;

use crate::http::caching::holds;

/// The pages ask nobody but this server for anything, except pictures of videos where whoever runs it says from where.
const POLICY: &str =
    "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'";
/// The viewer of the description sets styles on its elements and draws its icons from data.
const DOCS_POLICY: &str = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; base-uri 'none'; \
                           form-action 'self'; frame-ancestors 'none'; object-src 'none'";
/// Files that import each other are asked for again each time, because an upgrade changes them all at once. Unchanged,
/// each costs a 304.
const TOGETHER: &str = "no-cache";
/// The player client is one file, which players load with every page: an upgrade reaches them within the hour, and
/// nobody waits for it.
const ALONE: &str = "public, max-age=3600, stale-while-revalidate=86400";

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

/// A file of `web/`.
struct Asset {
    path: &'static str,
    content_type: &'static str,
    cache_control: &'static str,
    text: &'static str,
}

macro_rules! assets {
    ($($path:literal $content_type:ident $cache_control:ident $file:literal;)*) => {
        &[$(Asset {
            path: $path,
            content_type: $content_type,
            cache_control: $cache_control,
            text: include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/web/", $file)),
        }),*]
    };
}

const DASHBOARD: &[Asset] = assets! {
    "/" HTML TOGETHER "index.html";
    "/favicon.svg" SVG TOGETHER "favicon.svg";
    "/dashboard.css" CSS TOGETHER "dashboard.css";
    "/pages.css" CSS TOGETHER "pages.css";
    "/dashboard.js" SCRIPT TOGETHER "dashboard.js";
    "/route.js" SCRIPT TOGETHER "route.js";
    "/api.js" SCRIPT TOGETHER "api.js";
    "/sign_in.js" SCRIPT TOGETHER "sign_in.js";
    "/dom.js" SCRIPT TOGETHER "dom.js";
    "/counters.js" SCRIPT TOGETHER "counters.js";
    "/controls.js" SCRIPT TOGETHER "controls.js";
    "/home.js" SCRIPT TOGETHER "home.js";
    "/video.js" SCRIPT TOGETHER "video.js";
    "/curves.js" SCRIPT TOGETHER "curves.js";
    "/audience.css" CSS TOGETHER "audience.css";
    "/audience.js" SCRIPT TOGETHER "audience.js";
    "/days.js" SCRIPT TOGETHER "days.js";
    "/share.js" SCRIPT TOGETHER "share.js";
    "/catalogue.js" SCRIPT TOGETHER "catalogue.js";
    "/lead.js" SCRIPT TOGETHER "lead.js";
    "/series.js" SCRIPT TOGETHER "series.js";
    "/vendor/uplot/uPlot.esm.js" SCRIPT TOGETHER "vendor/uplot/uPlot.esm.js";
    "/vendor/uplot/uPlot.min.css" CSS TOGETHER "vendor/uplot/uPlot.min.css";
};

const DOCS: &[Asset] = assets! {
    "/docs" HTML TOGETHER "docs.html";
    "/docs/rapidoc-min.js" SCRIPT TOGETHER "vendor/rapidoc/rapidoc-min.js";
};

/// Pages of any origin load these: the component with what it imports, and the player client.
const EMBEDDED: &[Asset] = assets! {
    "/heat-strip.js" SCRIPT TOGETHER "heat-strip.js";
    "/heat_strip_style.js" SCRIPT TOGETHER "heat_strip_style.js";
    "/strip_view.js" SCRIPT TOGETHER "strip_view.js";
    "/moments.js" SCRIPT TOGETHER "moments.js";
    "/format.js" SCRIPT TOGETHER "format.js";
    "/heatstrip.js" SCRIPT ALONE "heatstrip.js";
    "/heatstrip.classic.js" SCRIPT ALONE "heatstrip.classic.js";
    "/heatstrip.d.ts" SCRIPT ALONE "heatstrip.d.ts";
};

/// Returns the routes of the dashboard, which may show pictures from these origins, and of the API's description.
pub fn pages(thumbnail_origins: &[String]) -> Router {
    let policy = match thumbnail_origins {
        [] => POLICY.to_owned(),
        origins => format!("{POLICY}; img-src 'self' {}", origins.join(" ")),
    };
    let policy = HeaderValue::from_str(&policy).expect("origins are plain ASCII");
    let settings = settings(thumbnail_origins);
    routes(SETTINGS, &policy, "same-origin", |_| settings.clone().into())
        .merge(routes(DASHBOARD, &policy, "same-origin", |text| text.into()))
        .merge(routes(DOCS, &HeaderValue::from_static(DOCS_POLICY), "same-origin", |text| text.into()))
}

/// Written here, as a page that is one file for all cannot know the settings.
const SETTINGS: &[Asset] =
    &[Asset { path: "/settings.js", content_type: SCRIPT, cache_control: TOGETHER, text: "" }];

/// Returns what the dashboard has to know of the settings, as a module.
fn settings(thumbnail_origins: &[String]) -> String {
    let origins = serde_json::to_string(thumbnail_origins).expect("a list of texts");
    format!("// The settings that this page has to know.\n\nexport const thumbnailOrigins = {origins};\n")
}

/// Returns the routes of the files that pages of other sites load. The player client says after how many seconds a session is
/// a view, so that it and the answers agree.
pub fn embedded(view_after_secs: u32) -> Router {
    routes(EMBEDDED, &HeaderValue::from_static(POLICY), "cross-origin", |text| {
        with_view_after(text, view_after_secs)
    })
}

/// The player client's default as it is built, behind the option's name and whatever the minifier calls the variable.
const BUILT_VIEW_AFTER: &str = "=10";

fn with_view_after(text: &'static str, view_after_secs: u32) -> Cow<'static, str> {
    let filled = || {
        let option = text.find("viewAfter:")?;
        let value = option + text[option..].find('=')?;
        let behind = text[value..].strip_prefix(BUILT_VIEW_AFTER)?;
        Some(format!("{}={view_after_secs}{behind}", &text[..value]))
    };
    filled().map_or(Cow::Borrowed(text), Cow::Owned)
}

/// Returns the routes of files. `shared_with` says who may load them without CORS; pages that are isolated from other
/// sites (COEP) want to be told.
fn routes(
    assets: &'static [Asset],
    policy: &HeaderValue,
    shared_with: &'static str,
    fill: impl Fn(&'static str) -> Cow<'static, str>,
) -> Router {
    assets.iter().fold(Router::new(), |router, asset| {
        let text: Bytes = match fill(asset.text) {
            Cow::Borrowed(text) => Bytes::from_static(text.as_bytes()),
            Cow::Owned(text) => text.into(),
        };
        let etag: Arc<str> = etag(&text).into();
        let policies = [
            (header::CONTENT_SECURITY_POLICY, policy.clone()),
            (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static(shared_with)),
        ];
        let answer =
            async move |request: HeaderMap| (policies, asset.answer(&request, &etag, &text)).into_response();
        router.route(asset.path, get(answer))
    })
}

impl Asset {
    fn answer(&self, request: &HeaderMap, etag: &str, text: &Bytes) -> Response {
        let validators = [(header::ETAG, etag), (header::CACHE_CONTROL, self.cache_control)];
        if holds(request, etag) {
            return (StatusCode::NOT_MODIFIED, validators).into_response();
        }
        (validators, [(header::CONTENT_TYPE, self.content_type)], text.clone()).into_response()
    }
}

fn etag(text: &[u8]) -> String {
    let mut hasher = FnvHasher::default();
    hasher.write(text);
    // It is weak, because a compressed answer has it too.
    format!("W/\"{:016x}\"", hasher.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_player_client_knows_the_setting() {
        for name in ["/heatstrip.js", "/heatstrip.classic.js"] {
            let asset = EMBEDDED.iter().find(|asset| asset.path == name).expect("the client");
            let filled = with_view_after(asset.text, 77);
            assert_eq!(filled.matches("=77").count(), 1, "{name}");
            assert_eq!(filled.len(), asset.text.len(), "{name}");
            assert_eq!(with_view_after(asset.text, 10), asset.text, "{name}");
        }
        assert_eq!(with_view_after("export const other = 10;", 77), "export const other = 10;");
    }
}
