//! The regions of a video.

use heatstrip::{
    heatmap::compaction,
    viewers::{epoch::Rotation, salt::SaltSource},
};
use reqwest::header;
use serde_json::{Value, json};

use super::{assert_problem, header_of, instant, names, watch};
use crate::support::{App, Settings};

fn beat_in(region: &str, viewer: &str, secs: (u32, u32)) -> Value {
    json!({"video_id": "a/b é", "viewer_id": viewer, "region": region, "start_sec": secs.0, "end_sec": secs.1})
}

const PATH: &str = "/v1/videos/a%2Fb%20%C3%A9/regions";

#[tokio::test]
async fn regions_come_by_viewers_and_then_by_name() {
    let app = App::start(Settings::default()).await;
    watch(
        &app,
        &[
            beat_in("JP", "a", (0, 9)),
            beat_in("JP", "a", (5, 14)),
            beat_in("JP", "b", (0, 0)),
            beat_in("US", "c", (0, 3)),
            beat_in("DE", "a", (0, 1)),
            json!({"video_id": "another", "viewer_id": "a", "region": "FR", "start_sec": 0, "end_sec": 0}),
        ],
    )
    .await;
    let response = app.get(PATH).await;
    assert_eq!(header_of(&response, header::CONTENT_TYPE), "application/json");
    assert!(header_of(&response, header::ETAG).starts_with("W/\""));
    let text = response.text().await.expect("a body");
    let envelope = ["video_id", "from", "to", "scope", "relative_error", "exact", "generated_at", "regions"];
    assert_eq!(&names(&text)[..8], envelope);
    let answer: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(answer["video_id"], "a/b é");
    assert_eq!((&answer["from"], &answer["to"]), (&json!("2026-11-21"), &json!("2026-11-21")));
    assert_eq!((&answer["scope"], &answer["exact"]), (&json!("viewers"), &json!(true)));
    assert_eq!(
        answer["regions"],
        json!([
            {"region": "JP", "viewers": 2, "seconds_played": 21},
            {"region": "DE", "viewers": 1, "seconds_played": 2},
            {"region": "US", "viewers": 1, "seconds_played": 4},
        ])
    );
}

#[tokio::test]
async fn regions_add_up_epochs_and_do_not_change_by_compaction() {
    let app = App::start(Settings {
        now: instant("2026-11-20T10:00:00Z"),
        salts: SaltSource::Made(Rotation::Daily),
        ..Settings::default()
    })
    .await;
    watch(&app, &[beat_in("JP", "a", (0, 9)), beat_in("KR", "b", (0, 4))]).await;
    app.clock.set(instant("2026-11-21T10:00:00Z"));
    watch(&app, &[beat_in("JP", "a", (0, 9))]).await;
    let regions = async |query: &str| app.json(&format!("{PATH}{query}")).await;
    let all = regions("").await;
    assert_eq!(all["scope"], "viewer-days");
    assert_eq!(
        all["regions"],
        json!([
            {"region": "JP", "viewers": 2, "seconds_played": 20},
            {"region": "KR", "viewers": 1, "seconds_played": 5},
        ])
    );
    let today = regions("?from=2026-11-21").await;
    assert_eq!(today["regions"], json!([{"region": "JP", "viewers": 1, "seconds_played": 10}]));
    compaction::run(&app.store, app.clock.today(), |_| ()).await.expect("a compaction");
    assert_eq!(regions("").await["regions"], all["regions"], "GLOBAL is no region");
}

#[tokio::test]
async fn of_a_video_nobody_watched_there_are_none() {
    let app = App::start(Settings::default()).await;
    let answer = app.json("/v1/videos/nobody/regions").await;
    assert_eq!(
        (&answer["regions"], &answer["from"], &answer["exact"]),
        (&json!([]), &Value::Null, &json!(true))
    );
    assert_problem(&app, "/v1/videos/v/regions?from=2026-11-21&to=2026-11-20", "from is later than to").await;
    assert_problem(&app, "/v1/videos/v/regions?from=yesterday", "from must be a day").await;
    assert_problem(&app, &format!("/v1/videos/{}/regions", "x".repeat(129)), "video_id must be").await;
}
