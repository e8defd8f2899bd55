//! The fields of a strip.

use reqwest::header;
use serde_json::{Value, json};

use super::{NOW, beat, header_of, names, watch};
use crate::support::{App, Settings};

#[tokio::test]
async fn a_strip_has_the_fields_of_the_contract_in_their_order() {
    let app = App::start(Settings::default()).await;
    watch(
        &app,
        &[
            beat("yt_abc123", "a", (12, 14)),
            beat("yt_abc123", "b", (12, 13)),
            beat("yt_abc123", "b", (12, 12)),
            beat("yt_abc123", "c", (3, 4)),
        ],
    )
    .await;
    let response = app.get("/v1/videos/yt_abc123/heatmap?region=JP").await;
    assert_eq!(header_of(&response, header::CONTENT_TYPE), "application/json");
    let text = response.text().await.expect("a body");
    let envelope = [
        "video_id",
        "regions",
        "resolution",
        "from",
        "to",
        "scope",
        "viewers",
        "seconds_played",
        "peak",
        "relative_error",
        "exact",
        "generated_at",
        "buckets",
    ];
    let bucket = ["bucket", "viewers", "seconds_played", "replay", "retention", "reached"];
    let expected: Vec<&str> = envelope.into_iter().chain(bucket).chain(bucket).chain(bucket).collect();
    assert_eq!(names(&text), expected);
    // 6 seconds played of 3 seconds by 2 viewers; a gap; the last bucket ends with the last watched second.
    assert_eq!(
        serde_json::from_str::<Value>(&text).expect("JSON"),
        json!({
            "video_id": "yt_abc123", "regions": ["JP"], "resolution": 5, "from": "2026-11-21", "to": "2026-11-21",
            "scope": "viewers", "viewers": 3, "seconds_played": 8, "peak": 2, "relative_error": 0.0, "exact": true,
            "generated_at": NOW,
            "buckets": [
                {"bucket": 0, "viewers": 1, "seconds_played": 2, "replay": 0.4, "retention": 0.5, "reached": 3},
                {"bucket": 5, "viewers": 0, "seconds_played": 0, "replay": 0.0, "retention": 0.0, "reached": 2},
                {"bucket": 10, "viewers": 2, "seconds_played": 6, "replay": 0.6, "retention": 1.0, "reached": 2},
            ],
        })
    );
    // Ratios are numbers with a point, whole ones too.
    assert!(text.contains(r#""retention":1.0,"#) && text.contains(r#""relative_error":0.0,"#), "{text}");
}

#[tokio::test]
async fn what_nobody_watched_is_an_answer() {
    let app = App::start(Settings::default()).await;
    let nothing = |regions: Value, resolution: u32, from: Value, to: Value| {
        json!({
            "video_id": "nobody", "regions": regions, "resolution": resolution, "from": from, "to": to,
            "scope": "viewers", "viewers": 0, "seconds_played": 0, "peak": 0, "relative_error": 0.0, "exact": true,
            "generated_at": NOW, "buckets": [],
        })
    };
    assert_eq!(
        app.json("/v1/videos/nobody/heatmap").await,
        nothing(json!(["GLOBAL"]), 5, Value::Null, Value::Null)
    );
    assert_eq!(
        app.json("/v1/videos/nobody/heatmap?region=kr,JP&resolution=3600&from=2026-11-01&to=2026-11-30")
            .await,
        nothing(json!(["JP", "KR"]), 3600, json!("2026-11-01"), json!("2026-11-30"))
    );
    // Watched, but not there and not then.
    watch(&app, &[beat("somebody", "a", (0, 9))]).await;
    for query in ["region=KR", "from=2026-01-01&to=2026-01-31", "from=2027-01-01", "to=2020-01-01"] {
        let strip = app.json(&format!("/v1/videos/somebody/heatmap?{query}")).await;
        assert_eq!(strip["buckets"], json!([]), "{query}");
        assert_eq!((&strip["viewers"], &strip["exact"]), (&json!(0), &json!(true)), "{query}");
        assert_eq!(strip["scope"], "viewers", "{query}");
    }
}
