//! `POST /v1/heartbeats` over real HTTP: it takes the good heartbeats, refuses the bad ones with a reason, and a bad
//! one costs no good one.

mod shapes;
mod elements;
mod refused;
mod limits;
mod cors;
mod arrival;
mod dry_run;
mod fuzz;

use reqwest::{RequestBuilder, header::HeaderMap};
use serde_json::{Value, json};

use crate::support::{App, Settings};

/// Every viewer id of these tests holds this text, and no answer may contain it.
const CANARY: &str = "canary-7d1e";

/// An answer that was read to its end and is JSON, as every answer of this call is.
struct Answer {
    status: u16,
    headers: HeaderMap,
    json: Value,
}

impl Answer {
    /// Returns the status and, for refusals, the text for people.
    fn refusal(&self) -> (u16, &str) {
        (self.status, self.json["detail"].as_str().unwrap_or_default())
    }
}

/// Sends a request and checks everything that holds for every answer.
async fn send(request: RequestBuilder) -> Answer {
    let response = request.send().await.expect("an answer");
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let text = response.text().await.expect("the whole answer");
    assert!(
        !text.contains(CANARY) && !format!("{headers:?}").contains(CANARY),
        "a viewer id in an answer: {text}"
    );
    let json: Value = serde_json::from_str(&text).unwrap_or_else(|_| panic!("{status} is no JSON: {text:?}"));
    match status {
        200..=299 => assert_eq!(headers["content-type"], "application/json"),
        _ => check_problem(status, &headers, &json),
    }
    Answer { status, headers, json }
}

/// Checks that an answer is a problem of RFC 9457.
fn check_problem(status: u16, headers: &HeaderMap, json: &Value) {
    assert_eq!(headers["content-type"], "application/problem+json", "{json}");
    assert_eq!(headers["cache-control"], "no-store", "{json}");
    assert_eq!(json["type"], "about:blank", "{json}");
    assert_eq!(json["status"], status, "{json}");
    for member in ["title", "detail"] {
        assert!(json[member].as_str().is_some_and(|text| !text.is_empty()), "{member} of {json}");
    }
}

/// Posts a body with or without a content type.
async fn post(app: &App, content_type: Option<&str>, body: impl Into<reqwest::Body>) -> Answer {
    let request = app.client.post(format!("{}/v1/heartbeats", app.url)).body(body);
    send(match content_type {
        Some(content_type) => request.header("content-type", content_type),
        None => request,
    })
    .await
}

/// Returns a good heartbeat of 40 seconds.
fn good(video_id: &str) -> String {
    json!({"video_id": video_id, "region": "JP", "start_sec": 8, "end_sec": 47, "viewer_id": CANARY})
        .to_string()
}

/// Returns a good heartbeat with one field replaced by raw JSON text, or left out.
fn with(field: &str, value: Option<&str>) -> String {
    let viewer_id = format!("\"{CANARY}\"");
    let mut fields = vec![
        ("video_id", r#""refused""#),
        ("region", r#""JP""#),
        ("start_sec", "8"),
        ("end_sec", "47"),
        ("viewer_id", &viewer_id),
    ];
    fields.retain(|(name, _)| *name != field);
    fields.extend(value.map(|value| (field, value)));
    let fields: Vec<_> = fields.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
    format!("{{{}}}", fields.join(","))
}

/// Returns the seconds played of a video, once everything queued is folded.
async fn seconds_played(app: &App, video_id: &str) -> u64 {
    app.json(&format!("/v1/videos/{video_id}/heatmap")).await["seconds_played"].as_u64().expect("a number")
}

async fn start() -> App {
    App::start(Settings::default()).await
}
