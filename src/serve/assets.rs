//! The files that browsers load, embedded in the binary: the dashboard, the API's description, and the scripts that
//! pages of other sites embed, which are the `<heat-strip>` component and the player client with its types.
//!
//! `script/build-web` bundles the dashboard and the component into `web/built/`, which is committed, so that nobody needs
//! Node.js to build the program.

use std::{borrow::Cow, hash::Hasher, sync::Arc};

use axum::{
    Router,
    extract::{Path, rejection::PathRejection},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use bytes::Bytes;
use fnv::FnvHasher;

use crate::http::{caching::holds, error::ApiError};

/// The pages ask nobody but this server for anything, except pictures of videos where whoever runs it says from where.
const POLICY: &str =
    "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'";
/// The viewer of the description sets styles on its elements and draws its icons from data.
const DOCS_POLICY: &str = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; base-uri 'none'; \
                           form-action 'self'; frame-ancestors 'none'; object-src 'none'";
/// A page, and a module that others import, is asked for again each time: it says which version of everything else belongs
/// to it. Unchanged, it costs a 304.
const EACH_TIME: &str = "no-cache";
/// What a page of another site embeds is one file at an address that stays: an upgrade reaches it within the hour, and
/// nobody waits for it.
const EMBED: &str = "public, max-age=3600, stale-while-revalidate=86400";
/// An address that has its file's hash in it never means another file.
const FOR_EVER: &str = "public, max-age=31536000, immutable";

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

/// A page names its files relative to itself, so that it may be below any path.
const DASHBOARD: &[Asset] = assets! { "/" HTML EACH_TIME "index.html"; };
const DOCS: &[Asset] = assets! { "/docs" HTML EACH_TIME "docs.html"; };

/// The files of the pages, which name them `assets/…`; they are served with their hashes in their names.
const HASHED: &[Asset] = assets! {
    "favicon.svg" SVG FOR_EVER "favicon.svg";
    "dashboard.css" CSS FOR_EVER "built/dashboard.css";
    "dashboard.js" SCRIPT FOR_EVER "built/dashboard.js";
    "rapidoc-min.js" SCRIPT FOR_EVER "vendor/rapidoc/rapidoc-min.js";
};

/// Pages of any origin load these: the component, the player client, and the module that finds moments in a strip, with
/// what it imports.
const EMBEDDED: &[Asset] = assets! {
    "/heat-strip.js" SCRIPT EMBED "built/heat-strip.js";
    "/heatstrip.js" SCRIPT EMBED "heatstrip.js";
    "/heatstrip.classic.js" SCRIPT EMBED "heatstrip.classic.js";
    "/heatstrip.d.ts" SCRIPT EMBED "heatstrip.d.ts";
    "/moments.js" SCRIPT EACH_TIME "moments.js";
    "/format.js" SCRIPT EACH_TIME "format.js";
};

/// Where the dashboard looks for the origins of pictures.
const NO_ORIGINS: &str = r#"name="thumbnail-origins" content="""#;

/// Returns the routes of the dashboard, which may show pictures from these origins, of the API's description, and of the
/// files of both.
pub fn pages(thumbnail_origins: &[String]) -> Router {
    let origins = thumbnail_origins.join(" ");
    let policy = match thumbnail_origins {
        [] => POLICY.to_owned(),
        _ => format!("{POLICY}; img-src 'self' {origins}"),
    };
    let policy = HeaderValue::from_str(&policy).expect("origins are plain ASCII");
    let filled = NO_ORIGINS.replace(r#""""#, &format!(r#""{origins}""#));
    let files: Arc<[Hashed]> = HASHED.iter().map(Hashed::new).collect();
    let dashboard = |text: &str| Cow::Owned(with_hashes(text, &files).replace(NO_ORIGINS, &filled));
    let docs = |text: &str| Cow::Owned(with_hashes(text, &files));
    let pages = routes(DASHBOARD, &policy, "same-origin", dashboard).merge(routes(
        DOCS,
        &HeaderValue::from_static(DOCS_POLICY),
        "same-origin",
        docs,
    ));
    let file = async move |name: Result<Path<String>, PathRejection>, request: HeaderMap| {
        let Path(name) = name.map_err(|_| ApiError::NotFound)?;
        let found = files.iter().find_map(|file| file.answer(&name, &request));
        found.ok_or(ApiError::NotFound)
    };
    pages.route("/assets/{name}", get(file))
}

/// Returns a page in which each of its files has its hash in its name.
fn with_hashes(page: &str, files: &[Hashed]) -> String {
    files.iter().fold(page.to_owned(), |page, file| {
        page.replace(&format!("assets/{}", file.asset.path), &format!("assets/{}", file.name()))
    })
}

/// A file with its hash.
struct Hashed {
    asset: &'static Asset,
    hash: String,
}

impl Hashed {
    fn new(asset: &'static Asset) -> Self {
        Hashed { asset, hash: hash(asset.text.as_bytes()) }
    }

    fn name(&self) -> String {
        let (stem, ending) = self.around_hash();
        format!("{stem}-{}{ending}", self.hash)
    }

    /// Returns the name before and behind the hash.
    fn around_hash(&self) -> (&'static str, &'static str) {
        self.asset.path.split_at(self.asset.path.rfind('.').expect("a file has an ending"))
    }

    /// Returns the file if it is asked for under this name.
    fn answer(&self, name: &str, request: &HeaderMap) -> Option<Response> {
        let (stem, ending) = self.around_hash();
        let asked = name.strip_prefix(stem)?.strip_prefix('-')?.strip_suffix(ending)?;
        if asked.len() != self.hash.len() || !asked.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        // While versions run side by side, the page of one asks the other for its files: this version's will do, for once.
        let cache_control = if asked == self.hash { self.asset.cache_control } else { EACH_TIME };
        let text = Bytes::from_static(self.asset.text.as_bytes());
        let answer = self.asset.answer(request, &etag(&self.hash), &text, cache_control);
        Some((policies(&HeaderValue::from_static(POLICY), "same-origin"), answer).into_response())
    }
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
        let etag: Arc<str> = etag(&hash(&text)).into();
        let policies = policies(policy, shared_with);
        let answer = async move |request: HeaderMap| {
            (policies, asset.answer(&request, &etag, &text, asset.cache_control)).into_response()
        };
        router.route(asset.path, get(answer))
    })
}

fn policies(policy: &HeaderValue, shared_with: &'static str) -> [(HeaderName, HeaderValue); 2] {
    [
        (header::CONTENT_SECURITY_POLICY, policy.clone()),
        (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static(shared_with)),
    ]
}

impl Asset {
    fn answer(&self, request: &HeaderMap, etag: &str, text: &Bytes, cache_control: &'static str) -> Response {
        let validators = [(header::ETAG, etag), (header::CACHE_CONTROL, cache_control)];
        if holds(request, etag) {
            return (StatusCode::NOT_MODIFIED, validators).into_response();
        }
        (validators, [(header::CONTENT_TYPE, self.content_type)], text.clone()).into_response()
    }
}

fn hash(text: &[u8]) -> String {
    let mut hasher = FnvHasher::default();
    hasher.write(text);
    format!("{:016x}", hasher.finish())
}

fn etag(hash: &str) -> String {
    // It is weak, because a compressed answer has it too.
    format!("W/\"{hash}\"")
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
