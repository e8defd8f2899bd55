//! While nobody needs a key, the browser of whoever runs this does what any page asks of it: so pages of other origins may
//! watch and read, and nothing else.

use heatstrip::access::{
    grant::{Need, need},
    key::Role,
};
use reqwest::{Method, Response, header};
use serde_json::Value;

use super::{key, made};
use crate::support::{App, Settings};

const EVIL: &str = "https://evil.example";

/// Asks as a browser does before it sends what a page wants.
async fn preflight(app: &App, method: &str, path: &str, origin: &str) -> Response {
    let asked = app
        .client
        .request(Method::OPTIONS, format!("{}{path}", app.url))
        .header(header::ORIGIN, origin)
        .header(header::ACCESS_CONTROL_REQUEST_METHOD, method)
        .header(header::ACCESS_CONTROL_REQUEST_HEADERS, "content-type");
    asked.send().await.expect("an answer")
}

fn is_allowed(preflight: &Response, method: &str) -> bool {
    let listed = |name| {
        let value = preflight.headers().get(name).map(|value| value.to_str().expect("text"));
        value.unwrap_or_default().split(',').map(|part| part.trim().to_owned()).collect::<Vec<_>>()
    };
    preflight.status().is_success()
        && listed(header::ACCESS_CONTROL_ALLOW_ORIGIN).contains(&"*".to_owned())
        && listed(header::ACCESS_CONTROL_ALLOW_METHODS).contains(&method.to_owned())
}

#[tokio::test]
async fn pages_of_other_origins_watch_and_read_and_change_nothing() {
    let app = App::start(Settings::default()).await;
    let document = app.json("/openapi.json").await;
    let (mut open, mut closed) = (Vec::new(), Vec::new());
    for (path, item) in document["paths"].as_object().expect("paths") {
        for method in item.as_object().expect("operations").keys() {
            let method = method.to_uppercase();
            if !path.starts_with("/v1/") {
                continue;
            }
            let is_for_servers = need(&method, Some(path), None) == Need::Manage;
            let named = path.replace(['{', '}'], "");
            let preflight = preflight(&app, &method, &named, EVIL).await;
            assert_eq!(is_allowed(&preflight, &method), !is_for_servers, "{method} {path}");
            // What needs no preflight is sent as it is, as a form would be.
            let method = Method::from_bytes(method.as_bytes()).expect("a method");
            let asked = app.client.request(method.clone(), format!("{}{named}", app.url));
            let asked = asked.header(header::ORIGIN, EVIL).header(header::CONTENT_TYPE, "text/plain");
            let status = asked.body("{}").send().await.expect("an answer").status();
            assert_eq!(status == 403, is_for_servers, "{method} {path}: {status}");
            if is_for_servers { &mut closed } else { &mut open }.push(format!("{method} {path}"));
        }
    }
    for needed in ["POST /v1/heartbeats", "POST /v1/views", "GET /v1/videos/{video_id}/heatmap"] {
        assert!(open.iter().any(|route| route == needed), "{needed}");
    }
    for dangerous in [
        "PUT /v1/videos/{video_id}",
        "DELETE /v1/videos/{video_id}",
        "POST /v1/counts",
        "POST /v1/identify",
        "DELETE /v1/members/{member_id}",
    ] {
        assert!(closed.iter().any(|route| route == dangerous), "{dangerous}");
    }
}

#[tokio::test]
async fn only_its_own_pages_and_programs_manage_an_open_server() {
    let app = App::start(Settings::default()).await;
    let host = app.url.trim_start_matches("http://").to_owned();
    let port = host.rsplit_once(':').expect("a port").1.to_owned();
    let put = async |origin: Option<String>, host: &str| {
        let mut put = app.client.put(format!("{}/v1/videos/v", app.url)).header(header::HOST, host);
        if let Some(origin) = origin {
            put = put.header(header::ORIGIN, origin);
        }
        put.body(r#"{"title":"t"}"#).send().await.expect("an answer").status().as_u16()
    };
    let pointed_here = format!("evil.example:{port}");
    for (origin, host) in [
        (Some(EVIL.to_owned()), &host),
        (Some("null".to_owned()), &host),
        (Some("http://localhost:1".to_owned()), &host),
        // A name of theirs that they let point to this machine is of the same origin.
        (Some(format!("http://{pointed_here}")), &pointed_here),
    ] {
        assert_eq!(put(origin.clone(), host).await, 403, "{origin:?}");
    }
    assert_eq!(app.get("/v1/videos/v").await.status(), 404, "nothing was written");
    assert_eq!(put(Some(app.url.clone()), &host).await, 200, "a page of its own");
    assert_eq!(put(None, &host).await, 200, "no page at all");
    assert_eq!(put(Some(format!("http://localhost:{port}")), &format!("localhost:{port}")).await, 200);
    let entry: Value = app.json("/v1/videos/v").await;
    assert_eq!(entry["title"], "t");

    // With keys it is the key that decides: a page that has none can do nothing.
    made(&app, &key("server", Role::Server)).await;
    assert!(is_allowed(&preflight(&app, "PUT", "/v1/videos/v", EVIL).await, "PUT"));
    assert_eq!(put(Some(EVIL.to_owned()), &host).await, 401);
}
