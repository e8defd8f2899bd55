//! The list of the most watched videos.

use std::collections::BTreeSet;

use heatstrip::{salt::SaltSource, salt_epoch::Rotation};
use reqwest::header;
use serde_json::{Value, json};

use super::{beat, header_of, instant, names, watch};
use crate::support::{App, Settings};

#[tokio::test]
async fn videos_come_by_viewers_and_then_by_id() {
    let app = App::start(Settings::default()).await;
    let mut beats = vec![beat("many", "a", (0, 9)), beat("many", "b", (5, 14)), beat("many", "c", (0, 0))];
    // Byte order, whatever the server's language.
    for id in ["é", "b", "B", "a b", "_", "10", "9"] {
        beats.push(beat(id, "a", (0, 2)));
        beats.push(beat(id, "b", (7, 7)));
    }
    beats.extend((0..120).map(|n| beat(&format!("few {n:03}"), "a", (0, 0))));
    watch(&app, &beats).await;

    let response = app.get("/v1/videos?limit=8").await;
    assert_eq!(header_of(&response, header::CONTENT_TYPE), "application/json");
    let text = response.text().await.expect("a body");
    let envelope = ["regions", "from", "to", "scope", "relative_error", "exact", "generated_at", "videos"];
    assert_eq!(&names(&text)[..8], envelope);
    assert_eq!(&names(&text)[8..12], ["video_id", "viewers", "seconds_played", "last_sec"]);
    let list: Value = serde_json::from_str(&text).expect("JSON");
    let first = json!({"video_id": "many", "viewers": 3, "seconds_played": 21, "last_sec": 14});
    assert_eq!(list["videos"][0], first);
    let ids = |list: &Value| -> Vec<String> {
        let videos = list["videos"].as_array().expect("videos");
        videos.iter().map(|video| video["video_id"].as_str().expect("an id").to_owned()).collect()
    };
    assert_eq!(ids(&list), ["many", "10", "9", "B", "_", "a b", "b", "é"]);
    assert_eq!(
        (&list["from"], &list["to"], &list["scope"], &list["exact"], &list["relative_error"]),
        (&json!("2026-10-25"), &json!("2026-11-21"), &json!("viewers"), &json!(true), &json!(0.0))
    );
    for (query, length) in [("", 20), ("?limit=1", 1), ("?limit=100", 100), ("?region=KR", 0)] {
        assert_eq!(ids(&app.json(&format!("/v1/videos{query}")).await).len(), length, "{query}");
    }
    assert_eq!(ids(&app.json("/v1/videos?limit=100").await)[99], "few 091");
}

/// The last 28 days, today included.
#[tokio::test]
async fn videos_are_of_the_last_four_weeks() {
    let app = App::start(Settings {
        now: instant("2026-10-24T10:00:00Z"),
        salts: SaltSource::Made(Rotation::Never),
        ..Settings::default()
    })
    .await;
    watch(&app, &[beat("before", "a", (0, 0))]).await;
    app.clock.set(instant("2026-10-25T00:00:00Z"));
    watch(&app, &[beat("first day", "a", (0, 0))]).await;
    app.clock.set(instant("2026-11-21T23:59:59Z"));
    watch(&app, &[beat("last day", "a", (0, 0))]).await;
    let list = app.json("/v1/videos").await;
    assert_eq!((&list["from"], &list["to"]), (&json!("2026-10-25"), &json!("2026-11-21")));
    let ids: BTreeSet<&str> = list["videos"]
        .as_array()
        .expect("videos")
        .iter()
        .filter_map(|video| video["video_id"].as_str())
        .collect();
    assert_eq!(ids, BTreeSet::from(["first day", "last day"]));
    // With an end of its own it is the four weeks up to that.
    let earlier = app.json("/v1/videos?to=2026-10-24").await;
    assert_eq!((&earlier["from"], &earlier["to"]), (&json!("2026-09-27"), &json!("2026-10-24")));
    assert_eq!(earlier["videos"][0]["video_id"], "before");
}
