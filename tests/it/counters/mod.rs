//! Counters: who × object × kind × ±1.

mod erase;
mod files;
mod oracle;
mod pack;
mod plans;
mod reads;
mod writes;

use serde_json::{Value, json};

use crate::support::App;

/// An element; `kind` and `delta` as they come.
fn element(member: &str, object: &str, kind: &str, delta: i64) -> Value {
    json!({"member_id": member, "object_type": "video", "object_id": object, "kind": kind, "delta": delta})
}

/// Posts a body; returns the status and the answer.
async fn post(app: &App, body: &Value) -> (u16, Value) {
    let request = app.client.post(format!("{}/v1/counts", app.url)).json(body);
    let response = request.send().await.expect("an answer");
    (response.status().as_u16(), response.json().await.expect("JSON"))
}

/// Posts a body all of which is good; returns the results.
async fn count(app: &App, body: Value) -> Vec<Value> {
    let (status, answer) = post(app, &body).await;
    assert_eq!(status, 200, "{answer}");
    assert_eq!(answer["rejected"], json!([]), "{answer}");
    answer["results"].as_array().expect("results").clone()
}

/// Status, total and seq of a result.
fn told(result: &Value) -> (&str, i64, Option<i64>) {
    let status = result["status"].as_str().expect("a status");
    (status, result["total"].as_i64().expect("a total"), result["seq"].as_i64())
}

/// A counter's total.
async fn total(app: &App, object: &str, kind: &str) -> i64 {
    let answer = app.json(&format!("/v1/counts?object=video:{object}&kind={kind}")).await;
    answer["objects"][0]["counts"][0]["total"].as_i64().expect("a total")
}

/// What reconciliation finds, and heals.
async fn drift(app: &App) -> u64 {
    let drifts = heatstrip::work::reconcile::reconcile(&app.store, &app.clock).await.expect("compared");
    drifts.iter().map(|drift| drift.found()).sum()
}
