//! Who may do what: keys, their terms, and what one sender can learn of others.

mod budgets;
mod differences;
mod keys;
mod oracle;
mod pages;
mod prefixes;
mod secrets;

use std::time::Duration;

use heatstrip::{
    access::{
        budget::Budget,
        key::{Key, Role, Secret},
    },
    clock::Clock,
};
use reqwest::{Method, RequestBuilder, Response};
use serde_json::{Value, json};

use crate::support::{App, until};

/// What is felt within a few seconds gets this long.
const FELT: Duration = Duration::from_secs(15);

/// A key of a role without any other terms.
fn key(name: &str, role: Role) -> Key {
    Key {
        name: name.to_owned(),
        role,
        origins: Vec::new(),
        video_prefix: None,
        namespace: None,
        signing_secret: None,
        min_audience: None,
        budget: Budget::default(),
    }
}

/// Makes a key, and waits until it is known to be needed.
async fn made(app: &App, key: &Key) -> Secret {
    let secret = Secret::make(key.role).expect("random bytes");
    assert!(app.store.add_key(key, &secret.hash(), Clock::system().now()).await.expect("a key"));
    until("keys are needed", FELT, async || (app.get("/v1/videos").await.status() == 401).then_some(()))
        .await;
    secret
}

/// A request under a key.
fn request(app: &App, method: Method, path: &str, key: &Secret) -> RequestBuilder {
    app.client.request(method, format!("{}{path}", app.url)).bearer_auth(key.text())
}

async fn get(app: &App, path: &str, key: &Secret) -> Response {
    request(app, Method::GET, path, key).send().await.expect("an answer")
}

async fn post(app: &App, heartbeat: &Value, key: &Secret) -> (u16, Value) {
    let post = request(app, Method::POST, "/v1/heartbeats", key).body(heartbeat.to_string());
    let response = post.send().await.expect("an answer");
    (response.status().as_u16(), response.json().await.expect("JSON"))
}

/// A viewer's id as the client makes it.
fn random_id() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}

fn heartbeat(video: &str, viewer: &str, region: &str, (start, end): (u32, u32)) -> Value {
    json!({"video_id": video, "viewer_id": viewer, "region": region, "start_sec": start, "end_sec": end})
}
