//! A sender who invents regions makes no more of them than a video may have, and spoils no number of those that are real.

use std::collections::BTreeSet;

use heatstrip::{
    heatmap::compaction,
    work::{regions::MAX_REGIONS, worker},
};
use serde_json::{Value, json};

use crate::support::{App, Settings};

fn beat(video: &str, region: &str, viewer: usize, second: usize) -> Value {
    json!({
        "video_id": video, "region": region, "viewer_id": format!("viewer {viewer}"),
        "start_sec": second % 50, "end_sec": second % 50 + 9, "at": "2026-11-21T09:00:00Z",
    })
}

async fn send(app: &App, beats: &[Value]) {
    for batch in beats.chunks(1_000) {
        assert_eq!(app.post(Value::from(batch).to_string()).await.status(), 202);
    }
}

/// Two workers, each at its lanes.
async fn fold(app: &App) {
    let (a, b) =
        tokio::join!(worker::run_once(&app.store, &app.clock), worker::run_once(&app.store, &app.clock));
    a.expect("a worker");
    b.expect("a worker");
}

async fn regions(app: &App, query: &str) -> BTreeSet<String> {
    let rows = app.database.connect().await.query(query, &[]).await.expect("regions");
    rows.iter().map(|row| row.get(0)).collect()
}

async fn strip(app: &App, query: &str) -> Value {
    let mut strip = app.json(query).await;
    strip.as_object_mut().expect("an object").remove("generated_at");
    strip
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_invented_regions_make_256() {
    let (app, other) = (App::start(Settings::default()).await, App::start(Settings::default()).await);
    let real = |video: &str, from: usize| -> Vec<Value> {
        (from..from + 60).map(|n| beat(video, ["JP", "KR", "US"][n % 3], n % 40, n)).collect()
    };
    send(&app, &real("invaded", 0)).await;
    fold(&app).await;
    // Each of them once, by few people, so that all is counted one by one.
    for wave in 0..10 {
        let invented: Vec<Value> = (0..1_000)
            .map(|n| beat("invaded", &format!("X-{wave}-{n}"), 100 + n % 90, n))
            .chain(real("invaded", wave * 60))
            .collect();
        send(&app, &invented).await;
        fold(&app).await;
    }
    // What it must be, all in one region; and of the real ones alone.
    let mut all = real("invaded", 0);
    for wave in 0..10 {
        all.extend((0..1_000).map(|n| beat("invaded", "ZZ", 100 + n % 90, n)));
        all.extend(real("invaded", wave * 60));
    }
    send(&other, &all).await;
    fold(&other).await;
    for compacted in [false, true] {
        let there = regions(&app, "SELECT region FROM video_heatmap_whole_shards UNION SELECT region FROM video_heatmap_whole UNION SELECT region FROM video_heatmap_shards").await;
        let there: BTreeSet<&str> =
            there.iter().map(String::as_str).filter(|region| *region != "GLOBAL").collect();
        assert_eq!(there.len(), MAX_REGIONS + 1, "as many as may be, and the default region");
        assert!(["JP", "KR", "US", "ZZ"].iter().all(|region| there.contains(region)));
        for query in ["", "?region=JP", "?region=KR,US&resolution=1", "?resolution=60"] {
            let path = format!("/v1/videos/invaded/heatmap{query}");
            assert_eq!(strip(&app, &path).await, strip(&other, &path).await, "{query}, {compacted}");
        }
        let ledger = app.json("/v1/videos/invaded/ledger").await;
        let day = &ledger["days"][0]["heartbeats"];
        assert_eq!(
            (&day["accepted"], &day["other_region"]),
            (&json!(10_660), &json!(10_000 - (MAX_REGIONS - 3)))
        );
        if !compacted {
            compaction::run(&app.store, app.clock.today(), |_| ()).await.expect("a compaction");
        }
    }
    let in_sample = app.json("/v1/videos/invaded/audience?region=ZZ").await;
    assert_eq!(in_sample["viewers"], 90, "the sample counts them alike");
}

/// Where there is little room, the regions of many come before those of few.
#[tokio::test]
async fn real_regions_come_first() {
    let app = App::start(Settings::default()).await;
    let first: Vec<Value> = (0..MAX_REGIONS - 1).map(|n| beat("full", &format!("A-{n}"), n, n)).collect();
    send(&app, &first).await;
    app.fold().await;
    let mut last: Vec<Value> = (0..40).map(|n| beat("full", &format!("A-X{n}"), n, n)).collect();
    last.extend((0..5).map(|n| beat("full", "KR", n, n)));
    send(&app, &last).await;
    app.fold().await;
    let there = regions(&app, "SELECT region FROM video_heatmap_whole_shards").await;
    assert!(there.contains("KR") && there.contains("ZZ"));
    assert_eq!(there.len(), MAX_REGIONS + 1);
}

/// Views of a video have as many regions as its heartbeats, and a day and a video their own.
#[tokio::test]
async fn views_are_bounded_too() {
    let app = App::start(Settings::default()).await;
    // The server has said what its setting is before it answers.
    app.json("/v1/videos").await;
    app.store.set_default_region("AQ").await.expect("a default region");
    let views: Vec<Value> = (0..700)
        .map(
            |n| json!({"video_id": "viewed", "viewer_id": format!("viewer {n}"), "region": format!("V-{n}")}),
        )
        .collect();
    for batch in views.chunks(70) {
        let request = app.client.post(format!("{}/v1/views", app.url)).json(&Value::from(batch));
        assert_eq!(request.send().await.expect("an answer").status(), 202);
        app.fold().await;
    }
    for table in ["view_days", "view_months"] {
        let there = regions(&app, &format!("SELECT region FROM {table}")).await;
        assert_eq!(there.len(), MAX_REGIONS + 2, "{table}: with the default region and GLOBAL");
        assert!(there.contains("AQ"), "{table}");
    }
    assert_eq!(app.json("/v1/videos/viewed/views").await["views"], 700);
    let day = &app.json("/v1/videos/viewed/ledger").await["days"][0]["views"];
    assert_eq!((&day["counted"], &day["other_region"]), (&json!(700), &json!(700 - MAX_REGIONS)));
}

/// Another process sees what the first has written, once it has seen some regions itself.
#[tokio::test]
async fn a_process_that_starts_goes_on_where_the_last_was() {
    let app = App::start(Settings::default()).await;
    let many = |from: usize| -> Vec<Value> {
        (from..from + 400).map(|n| beat("handed over", &format!("H-{n}"), n, n)).collect()
    };
    for from in [0, 400, 800] {
        send(&app, &many(from)).await;
        let mut work = crate::support::heatstrip(&["work", "--once"]);
        assert!(work.env("DATABASE_URL", &app.database.url).status().await.expect("the program").success());
    }
    let there = regions(&app, "SELECT region FROM video_heatmap_whole_shards").await;
    assert_eq!(there.len(), MAX_REGIONS + 1);
}
