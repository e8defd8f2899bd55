//! What would become of a body, without its becoming so.

use serde_json::json;

use super::{good, start};

#[tokio::test]
async fn a_dry_run_says_what_would_be_and_stores_nothing() {
    let app = start().await;
    let bad = r#"{"video_id":"v","start_sec":9,"end_sec":5,"viewer_id":"a"}"#;
    let url = format!("{}/v1/heartbeats?dry_run=1", app.url);
    for (body, accepted, rejected) in [
        (
            format!("[{},{bad}]", good("dry")),
            1,
            json!([{"index": 1, "field": "end_sec", "reason": "end_before_start"}]),
        ),
        (bad.to_owned(), 0, json!([{"index": 0, "field": "end_sec", "reason": "end_before_start"}])),
    ] {
        let answer = app.client.post(&url).body(body).send().await.expect("an answer");
        assert_eq!(answer.status(), 200);
        let answer: serde_json::Value = answer.json().await.expect("JSON");
        assert_eq!(answer, json!({"accepted": accepted, "rejected": rejected}));
    }
    assert_eq!(app.client.post(&url).body("nonsense").send().await.expect("an answer").status(), 400);
    assert_eq!(app.fold().await, 0);
}
