//! The list of the most watched videos.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

use heatstrip::{
    heatmap::compaction,
    viewers::{epoch::Rotation, salt::SaltSource},
};
use rand::RngExt;
use reqwest::header;
use serde_json::{Value, json};

use super::{beat, header_of, instant, names, watch};
use crate::support::{App, Settings, chance};

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

/// More videos than are looked at, of which the list must not miss one, whatever is compacted and when.
#[tokio::test]
async fn bounds_hide_no_video() {
    let app = App::start(Settings {
        now: instant("2026-10-30T10:00:00Z"),
        salts: SaltSource::Made(Rotation::Never),
        ..Settings::default()
    })
    .await;
    // What each video has in truth: people, and on how many days each came back.
    let mut viewers: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut chance = chance();
    for day in ["2026-10-30", "2026-10-31", "2026-11-01", "2026-11-02"] {
        app.clock.set(instant(&format!("{day}T10:00:00Z")));
        for part in 0..2 {
            let mut beats = Vec::new();
            for video in 0..60 {
                // Regulars have high bounds and few viewers; crowds that come once have low bounds and many.
                let (id, people) = (format!("video {video:02}"), if video % 3 == 0 { 4 } else { 40 });
                for _ in 0..3 + chance.random_range(0..1 + 30 / (video + 1)) {
                    let viewer = format!("viewer {}", chance.random_range(0..people));
                    beats.push(beat(&id, &viewer, (0, 4)));
                    viewers.entry(id.clone()).or_default().insert(viewer);
                }
            }
            watch(&app, &beats).await;
            // Once in the middle of the day, so that a day's people are added in two pieces, and never the last day.
            if day != "2026-11-02" && (part == 1 || day == "2026-10-31") {
                compaction::run(&app.store, day.parse().expect("a day"), |_| ()).await.expect("a compaction");
            }
        }
    }
    let mut expected: Vec<(Reverse<usize>, &String)> =
        viewers.iter().map(|(id, viewers)| (Reverse(viewers.len()), id)).collect();
    expected.sort();
    for limit in [1, 2, 7, 20, 100] {
        let list = app.json(&format!("/v1/videos?limit={limit}&to=2026-11-02")).await;
        let listed: Vec<(u64, &str)> = list["videos"]
            .as_array()
            .expect("videos")
            .iter()
            .map(|video| {
                (video["viewers"].as_u64().expect("a count"), video["video_id"].as_str().expect("an id"))
            })
            .collect();
        let expected: Vec<(u64, &str)> = expected
            .iter()
            .take(limit)
            .map(|(Reverse(viewers), id)| (*viewers as u64, id.as_str()))
            .collect();
        assert_eq!(listed, expected, "limit {limit}");
    }
}
