//! The catalogue: entries, files of them, and what a duration does to heartbeats and strips.

mod entries;
mod files;
mod heartbeats;
mod trimmed;

use serde_json::{Value, json};

use crate::support::App;

fn beat(video: &str, viewer: &str, secs: (u32, u32)) -> Value {
    json!({"video_id": video, "viewer_id": viewer, "region": "JP", "start_sec": secs.0, "end_sec": secs.1})
}

/// Puts an entry; returns the status and the answer.
async fn put(app: &App, video: &str, body: impl Into<reqwest::Body>) -> (u16, Value) {
    let response =
        app.client.put(format!("{}/v1/videos/{video}", app.url)).body(body).send().await.expect("an answer");
    (response.status().as_u16(), response.json().await.expect("JSON"))
}

/// Puts the duration of a video.
async fn put_duration(app: &App, video: &str, duration_sec: f64) {
    let (status, answer) = put(app, video, json!({"duration_sec": duration_sec}).to_string()).await;
    assert_eq!(status, 200, "{answer}");
}

async fn delete(app: &App, video: &str) -> u16 {
    let request = app.client.delete(format!("{}/v1/videos/{video}", app.url));
    request.send().await.expect("an answer").status().as_u16()
}

/// Sends heartbeats and returns what was refused.
async fn send(app: &App, beats: &[Value]) -> Value {
    let response = app.post(json!(beats).to_string()).await;
    assert!([202, 422].contains(&response.status().as_u16()));
    response.json::<Value>().await.expect("JSON")["rejected"].clone()
}

/// Sends heartbeats, all of which are good, and folds them.
async fn watch(app: &App, beats: &[Value]) {
    assert_eq!(send(app, beats).await, json!([]));
    app.fold().await;
}
