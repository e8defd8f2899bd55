//! Stands before every route under `/v1`: whose key it is, what it is good for, from which page, and how much.

use std::{net::IpAddr, sync::Arc, time::Instant};

use axum::{
    body::HttpBody,
    extract::{FromRequestParts, MatchedPath, Query, RawPathParams, Request, State},
    http::{Extensions, HeaderMap, HeaderName, HeaderValue, Method, Version, header, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::{
    address::{self, Network},
    caller::{Caller, Senders},
    grant::{Need, allows, need, reaches, touched},
    host,
    key::{Key, Secret},
    keyring::Keyring,
    metrics::METRICS,
};
use crate::http::{Peer, Sender, body::drain, error::ApiError};

/// Says that answers differ by key, and that preflights and refusals differ by origin.
const VARY: HeaderValue = HeaderValue::from_static("authorization, origin");
/// While everybody gets in, so does the browser of whoever runs this, for any page that it shows.
const NOT_FOR_PAGES: &str = "pages of other origins may watch and read: the rest is for servers";
/// Each of these headers says that a proxy forwards, and most say for whom.
const FORWARDED: [&str; 6] =
    ["forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip"];
/// The address of who asks, where no connection says it.
const NOBODY: IpAddr = IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED);

/// The gate before the routes: it asks for keys and budgets.
pub struct Gate {
    keyring: Arc<Keyring>,
    budgets: Arc<Senders>,
    /// The header by which a proxy in front says whom it forwards.
    address_header: Option<HeaderName>,
    proxies: Vec<Network>,
}

impl Gate {
    /// Builds the gate.
    pub fn new(
        keyring: Arc<Keyring>,
        address_header: Option<HeaderName>,
        proxies: Vec<Network>,
    ) -> Arc<Gate> {
        let budgets = Arc::new(Senders::new(Instant::now()));
        Arc::new(Gate { keyring, budgets, address_header, proxies })
    }

    /// Returns the address of the client, or of its network.
    fn address(&self, headers: &HeaderMap, extensions: &Extensions) -> IpAddr {
        let peer = extensions.get::<Peer>().map_or(NOBODY, |peer| peer.0.ip());
        let address = match &self.address_header {
            None => peer.to_canonical(),
            Some(name) => {
                let said = headers.get_all(name).iter();
                let entries: Vec<&str> =
                    said.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(',')).collect();
                address::client(peer, entries.into_iter(), &self.proxies)
            }
        };
        address::account(address)
    }

    /// Returns who asks, or why they may not.
    async fn caller(
        &self,
        need: Need,
        route: Option<&str>,
        request: &mut Parts,
    ) -> Result<Caller, (ApiError, &'static str)> {
        let (secret, in_address) = given(&request.headers, request.uri.query())
            .ok_or((ApiError::Unauthorized("a key is needed: send it as Authorization: Bearer"), "no_key"))?;
        let unknown = || (ApiError::Unauthorized("this key is not known, or was revoked"), "unknown_key");
        let secret = Secret::parse(secret).ok_or_else(unknown)?;
        let found = self.keyring.find(&secret).await.map_err(|error| (error, "unavailable"))?;
        let known = found.ok_or_else(unknown)?;
        if in_address && !known.key.may_stand_in_addresses() {
            let advice = "this key may not stand in an address: send it as Authorization: Bearer";
            return Err((ApiError::Unauthorized(advice), "not_allowed"));
        }
        if !allows(&known.key, need) {
            return Err((ApiError::Forbidden("this key is not for that"), "not_allowed"));
        }
        if known.key.video_prefix.is_some() && !reaches_videos(&known.key, route, request).await {
            let why = "this key is for some videos alone: name them, and no others";
            return Err((ApiError::Forbidden(why), "not_allowed"));
        }
        let origin =
            request.headers.get(header::ORIGIN).map(|origin| origin.to_str().unwrap_or("unreadable"));
        if !known.key.admits_origin(origin) {
            return Err((ApiError::Forbidden("this key is not for pages of that origin"), "origin"));
        }
        let address = self.address(&request.headers, &request.extensions);
        let caller = Caller::new(known, address, Arc::clone(&self.budgets), self.keyring.closed_at());
        caller
            .admit(Instant::now())
            .map_err(|retry_after| (ApiError::TooMany { retry_after }, "too_many"))?;
        Ok(caller)
    }
}

/// Lets a request through to its route, with who asks among its extensions, or says why not. While everybody gets in there
/// is nobody to note.
pub async fn admit(
    State(gate): State<Arc<Gate>>,
    path: Option<MatchedPath>,
    mut request: Request,
    next: Next,
) -> Response {
    if gate.keyring.is_open() {
        let need =
            need(request.method().as_str(), path.as_ref().map(MatchedPath::as_str), request.uri().query());
        if need == Need::Manage && is_of_another_page(request.headers()) {
            METRICS.refused.with_label_values(&["origin"]).inc();
            let (parts, body) = request.into_parts();
            drain(&parts.headers, body).await;
            return ApiError::Forbidden(NOT_FOR_PAGES).into_response();
        }
        if !request.body().is_end_stream() {
            let address = gate.address(request.headers(), request.extensions());
            request.extensions_mut().insert(Sender { key: None, address });
        }
        return next.run(request).await;
    }
    let method = request.method().as_str();
    let route = path.as_ref().map(MatchedPath::as_str);
    let need = need(method, route, request.uri().query());
    if need == Need::Nothing {
        return next.run(request).await;
    }
    let (mut parts, body) = request.into_parts();
    let mut response = match gate.caller(need, route, &mut parts).await {
        Ok(caller) => {
            if !body.is_end_stream() {
                parts.extensions.insert(caller.sender());
            }
            parts.extensions.insert(caller);
            next.run(Request::from_parts(parts, body)).await
        }
        Err((error, reason)) => {
            METRICS.refused.with_label_values(&[reason]).inc();
            if parts.method != Method::GET && parts.method != Method::HEAD {
                // A client that is still sending would not read why.
                drain(&parts.headers, body).await;
            }
            error.into_response()
        }
    };
    guard(response.headers_mut());
    response
}

/// Refuses preflights for what no page of another origin may do while everybody gets in; all others are answered alike, as
/// they carry no key.
pub async fn preflight(
    State(gate): State<Arc<Gate>>,
    path: Option<MatchedPath>,
    request: Request,
    next: Next,
) -> Response {
    if request.method() == Method::OPTIONS && gate.keyring.is_open() {
        let headers = request.headers();
        let asked = headers.get(header::ACCESS_CONTROL_REQUEST_METHOD).and_then(|asked| asked.to_str().ok());
        let route = path.as_ref().map(MatchedPath::as_str);
        let need = asked.map(|method| need(method, route, request.uri().query()));
        if need == Some(Need::Manage) && is_of_another_page(headers) {
            return ApiError::Forbidden(NOT_FOR_PAGES).into_response();
        }
    }
    next.run(request).await
}

/// Returns true for a request of a page that is none of this server's own. Browsers say so with all that changes something,
/// whatever page it is of.
fn is_of_another_page(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).map(|value: &HeaderValue| value.to_str().unwrap_or("unreadable"));
    text(header::ORIGIN).is_some_and(|origin| !host::is_own_page(origin, text(header::HOST)))
}

/// Returns true if a key with a prefix of videos may touch what the address names.
async fn reaches_videos(key: &Key, route: Option<&str>, request: &mut Parts) -> bool {
    // The same that the routes read: what they cannot read they refuse.
    let Ok(Query(query)) = Query::<Vec<(String, String)>>::try_from_uri(&request.uri) else {
        return false;
    };
    let path = RawPathParams::from_request_parts(request, &()).await.ok();
    let path: Vec<(&str, &str)> = path.iter().flatten().collect();
    reaches(key, &touched(request.method.as_str(), route, &path, &query))
}

/// Keeps what one key may see out of caches that others share.
fn guard(headers: &mut HeaderMap) {
    headers.append(header::VARY, VARY);
    let public =
        headers.get(header::CACHE_CONTROL).and_then(|value| value.to_str().ok()?.strip_prefix("public,"));
    if let Some(rest) = public {
        let private = HeaderValue::from_str(&format!("private,{rest}")).expect("it was a value");
        headers.insert(header::CACHE_CONTROL, private);
    }
}

/// Returns the key of a request, and whether it stood in the address.
fn given<'a>(headers: &'a HeaderMap, query: Option<&'a str>) -> Option<(&'a str, bool)> {
    if let Some(value) = headers.get(header::AUTHORIZATION) {
        let text = value.to_str().unwrap_or("");
        let (scheme, key) = text.split_once(' ').unwrap_or((text, ""));
        // Another scheme is no key; it is not looked for elsewhere then.
        return Some((if scheme.eq_ignore_ascii_case("bearer") { key.trim() } else { "" }, false));
    }
    // A key has no characters that addresses would escape.
    query?.split('&').find_map(|pair| pair.strip_prefix("key=")).map(|key| (key, true))
}

/// Answers metrics to whoever is on this machine and came through no proxy: they tell how much is watched, and of what kind.
///
/// A proxy on this machine is a neighbour too. It shows by a header of its own, by a name that is not this machine's, or by
/// the HTTP/1.0 that proxies speak which are told nothing else.
pub async fn local_only(State(gate): State<Arc<Gate>>, request: Request, next: Next) -> Response {
    let is_local =
        request.extensions().get::<Peer>().is_some_and(|peer| peer.0.ip().to_canonical().is_loopback());
    let headers = request.headers();
    let is_forwarded = FORWARDED.iter().any(|name| headers.contains_key(*name))
        || gate.address_header.as_ref().is_some_and(|name| headers.contains_key(name))
        || request.version() < Version::HTTP_11;
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    match is_local && !is_forwarded && host.is_some_and(host::is_loopback) {
        true => next.run(request).await,
        false => ApiError::Forbidden("metrics are for this machine: set HEATSTRIP_METRICS_LISTEN for others")
            .into_response(),
    }
}
