//! Players run on other origins, and their browsers must be told that they may.

use std::collections::BTreeSet;

use reqwest::{Method, RequestBuilder, header::HeaderMap};

use super::{good, post, send, start};
use crate::support::{App, Settings};

fn names(headers: &HeaderMap, name: &str) -> BTreeSet<String> {
    headers
        .get_all(name)
        .iter()
        .flat_map(|value| value.to_str().expect("text").split(','))
        .map(|name| name.trim().to_ascii_lowercase())
        .collect()
}

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

async fn preflight(app: &App, path: &str, method: &str, headers: &str) -> reqwest::Response {
    app.client
        .request(Method::OPTIONS, format!("{}{path}", app.url))
        .header("origin", "https://player.example")
        .header("access-control-request-method", method)
        .header("access-control-request-headers", headers)
        .send()
        .await
        .expect("an answer")
}

#[tokio::test]
async fn preflights_are_answered_and_remembered_for_a_day() {
    let app = start().await;
    for (path, method) in [
        ("/v1/heartbeats", "POST"),
        ("/v1/videos", "GET"),
        ("/v1/videos/a/heatmap", "GET"),
        ("/v1/nothing", "POST"),
    ] {
        let response = preflight(&app, path, method, "content-type, idempotency-key").await;
        assert!(response.status().is_success(), "{path}: {}", response.status());
        let headers = response.headers();
        assert_eq!(headers["access-control-allow-origin"], "*", "{path}");
        assert_eq!(headers["access-control-max-age"], "86400", "{path}");
        assert_eq!(
            names(headers, "access-control-allow-headers"),
            set(&["authorization", "content-type", "idempotency-key"]),
            "{path}"
        );
        assert!(
            names(headers, "access-control-allow-methods").contains(&method.to_ascii_lowercase()),
            "{path}"
        );
        assert!(!headers.contains_key("access-control-allow-credentials"), "{path}");
    }
}

#[tokio::test]
async fn every_answer_can_be_read_from_another_origin() {
    let app = start().await;
    let full = App::start(Settings { queue_max_heartbeats: 0, ..Settings::default() }).await;
    let to = |app: &App, path: &str, body: String| app.client.post(format!("{}{path}", app.url)).body(body);
    let requests: Vec<(u16, RequestBuilder)> = vec![
        (202, to(&app, "/v1/heartbeats", good("cors"))),
        (400, to(&app, "/v1/heartbeats", "5".into())),
        (404, to(&app, "/v1/nothing", String::new())),
        (403, app.client.delete(format!("{}/v1/heartbeats", app.url))),
        (413, to(&app, "/v1/heartbeats", " ".repeat(2 << 20))),
        (415, to(&app, "/v1/heartbeats", good("cors")).header("content-type", "text/html")),
        (422, to(&app, "/v1/heartbeats", "[]".into())),
        (503, to(&full, "/v1/heartbeats", good("cors"))),
    ];
    for (status, request) in requests {
        let answer = send(request.header("origin", "https://player.example")).await;
        assert_eq!(answer.status, status, "{}", answer.json);
        assert_eq!(answer.headers["access-control-allow-origin"], "*", "{status}");
        assert_eq!(
            names(&answer.headers, "access-control-expose-headers"),
            set(&["retry-after", "etag", "x-request-id"]),
            "{status}"
        );
        assert!(!answer.headers.contains_key("access-control-allow-credentials"));
        assert_eq!(answer.headers["x-content-type-options"], "nosniff", "{status}");
    }
    // Addresses that operators look at are nobody else's.
    for path in ["/healthz", "/readyz"] {
        let request = app.client.get(format!("{}{path}", app.url));
        let answer = send(request.header("origin", "https://player.example")).await;
        assert!(!answer.headers.contains_key("access-control-allow-origin"), "{path}");
    }
}

#[tokio::test]
async fn a_beacon_needs_no_preflight() {
    let app = start().await;
    let answer = post(&app, Some("text/plain;charset=UTF-8"), format!("[{}]", good("beacon"))).await;
    assert_eq!(answer.status, 202);
}
