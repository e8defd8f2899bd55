//! The HTTP contract of the reads: fields, parameters, scopes, order and caching.

mod answer;
mod parameters;
mod scope;
mod videos;
mod reach;
mod regions;
mod caching;
mod formats;
mod single_flight;

use chrono::{DateTime, Utc};
use reqwest::{Response, header};
use serde_json::{Value, json};

use crate::support::App;

const NOW: &str = "2026-11-21T10:00:00Z";

fn instant(text: &str) -> DateTime<Utc> {
    text.parse().expect("an instant")
}

fn beat(video: &str, viewer: &str, secs: (u32, u32)) -> Value {
    json!({"video_id": video, "viewer_id": viewer, "region": "JP", "start_sec": secs.0, "end_sec": secs.1})
}

async fn watch(app: &App, beats: &[Value]) {
    let response = app.post(json!(beats).to_string()).await;
    assert_eq!(response.status(), 202);
    let answer: Value = response.json().await.expect("JSON");
    assert_eq!(answer["rejected"], json!([]));
    app.fold().await;
}

/// The names in the order in which they stand in the text.
fn names(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut rest = text;
    while let Some((_, behind)) = rest.split_once('"') {
        let (name, behind) = behind.split_once('"').expect("a closing quote");
        if behind.starts_with(':') {
            names.push(name.to_owned());
        }
        rest = behind;
    }
    names
}

fn header_of(response: &Response, name: header::HeaderName) -> String {
    response
        .headers()
        .get(&name)
        .unwrap_or_else(|| panic!("a header {name}"))
        .to_str()
        .expect("text")
        .to_owned()
}

async fn assert_problem(app: &App, path: &str, says: &str) {
    let response = app.get(path).await;
    assert_eq!(response.status(), 400, "{path}");
    assert_eq!(header_of(&response, header::CONTENT_TYPE), "application/problem+json", "{path}");
    let problem: Value = response.json().await.expect("JSON");
    assert_eq!(problem["status"], 400, "{path}");
    assert_eq!(problem["title"], "Bad Request", "{path}");
    let detail = problem["detail"].as_str().expect("a text");
    assert!(detail.contains(says), "{path}: {detail}");
}

/// Both reads, as one rule serves both.
const READS: [&str; 2] = ["/v1/videos/v/heatmap", "/v1/videos"];
