//! Heartbeats are bounded by what the catalogue knows, whatever they claim themselves, and for next to nothing.

use std::time::Duration;

use heatstrip::{catalogue::durations::Durations, postgres::Store};
use serde_json::{Value, json};

use super::{beat, delete, put, put_duration, send};
use crate::support::{App, Served, Settings, database, until};

#[tokio::test]
async fn no_heartbeat_ends_after_its_video() {
    let app = App::start(Settings::default()).await;
    // This process has read that the catalogue has nothing of it.
    assert_eq!(send(&app, &[beat("v", "a", (86_390, 86_399))]).await, json!([]));
    put_duration(&app, "v", 180.0).await;
    let claims = |mut beat: Value, duration_sec: f64| {
        beat["duration_sec"] = json!(duration_sec);
        beat
    };
    let refused = send(
        &app,
        &[
            beat("v", "a", (86_399, 86_399)),
            // Players round: the second that the duration names passes.
            beat("v", "a", (175, 180)),
            claims(beat("v", "a", (175, 181)), 86_400.0),
            beat("other", "a", (86_390, 86_399)),
            claims(beat("v", "a", (0, 9)), 5.0),
            beat("v", "a", (170, 179)),
        ],
    )
    .await;
    let out = |index: u32| json!({"index": index, "field": "end_sec", "reason": "out_of_range"});
    assert_eq!(refused, json!([out(0), out(2), out(4)]));

    put_duration(&app, "v", 90_000.0 / 7.0).await;
    assert_eq!(send(&app, &[beat("v", "a", (12_850, 12_857))]).await, json!([]), "a longer cut");
    assert_eq!(send(&app, &[beat("v", "a", (12_858, 12_858))]).await, json!([out(0)]));
    assert_eq!(delete(&app, "v").await, 204);
    assert_eq!(send(&app, &[beat("v", "a", (86_390, 86_399))]).await, json!([]), "unknown again");
}

/// A change is felt by processes that did not make it, also a removal, and by those that know the opposite.
#[tokio::test]
async fn other_processes_notice() {
    let app = App::start(Settings::default()).await;
    let elsewhere = Durations::new(Store::connect(&app.database.url, 2).await.expect("a store"));
    let known = async |video: &str| elsewhere.of_one(video).await.expect("a look");
    assert_eq!(known("v").await, None, "nothing was ever written");
    let is = |expected: Option<f64>| {
        let known = &known;
        until("the change is noticed", Duration::from_secs(20), async move || {
            (known("v").await == expected).then_some(())
        })
    };
    put(&app, "w", "{}").await;
    put_duration(&app, "v", 180.0).await;
    is(Some(180.0)).await;
    put_duration(&app, "v", 200.0).await;
    is(Some(200.0)).await;
    delete(&app, "v").await;
    is(None).await;
    put_duration(&app, "v", 10.0).await;
    is(Some(10.0)).await;
}

/// How often a process has looked durations up, told by itself.
async fn lookups(served: &Served) -> u32 {
    let metrics = served.client.get(format!("{}/metrics", served.url)).send().await.expect("an answer");
    let text = metrics.text().await.expect("a text");
    let line = text.lines().find_map(|line| line.strip_prefix("heatstrip_duration_lookups_total "));
    line.expect("the metric").parse().expect("a number")
}

/// Sends a heartbeat of each of many videos; returns the status.
async fn batch(served: &Served, path: &str, videos: std::ops::Range<u32>) -> u16 {
    let beats: Vec<Value> = videos.map(|n| beat(&format!("v{n}"), "a", (0, 9))).collect();
    let request = served.client.post(format!("{}{path}", served.url));
    request.body(json!(beats).to_string()).send().await.expect("an answer").status().as_u16()
}

/// While there is no entry at all, nothing is ever looked up.
async fn put_an_entry(served: &Served) {
    let put = served.client.put(format!("{}/v1/videos/v7", served.url)).body(r#"{"duration_sec":180}"#);
    assert_eq!(put.send().await.expect("an answer").status(), 200);
}

#[tokio::test]
async fn a_batch_costs_one_look_up_and_the_next_of_its_videos_none() {
    let database = database().await;
    let served = Served::api(&database, &[]).await;
    assert_eq!(batch(&served, "/v1/heartbeats", 0..100).await, 202);
    assert_eq!(lookups(&served).await, 0, "while there never was an entry nothing is looked up");
    put_an_entry(&served).await;
    for (range, expected) in [(0..100, 1), (0..100, 1), (50..150, 2), (0..150, 2)] {
        assert_eq!(batch(&served, "/v1/heartbeats", range.clone()).await, 202);
        assert_eq!(lookups(&served).await, expected, "{range:?}");
    }
}

/// Whoever tries out videos that nobody watches pushes none out that are watched.
#[tokio::test]
async fn a_dry_run_holds_nothing_that_it_looked_up() {
    let database = database().await;
    let served = Served::api(&database, &[]).await;
    put_an_entry(&served).await;
    for (path, status, expected) in [
        ("/v1/heartbeats?dry_run=1", 200, 1),
        ("/v1/heartbeats?dry_run=1", 200, 2),
        ("/v1/heartbeats", 202, 3),
        ("/v1/heartbeats?dry_run=1", 200, 3),
    ] {
        assert_eq!(batch(&served, path, 0..100).await, status);
        assert_eq!(lookups(&served).await, expected, "{path}");
    }
}
