//! The series of a video's days.

use heatstrip::{
    heatmap::compaction,
    viewers::{epoch::Rotation, salt::SaltSource},
    work::nightly::{self, Keep},
};
use serde_json::{Value, json};

use crate::support::{App, Settings};

async fn watch_on(app: &App, day: &str, beats: &[(&str, &str, (u32, u32))]) {
    app.clock.set(format!("{day}T10:00:00Z").parse().expect("an instant"));
    let beats: Vec<Value> = beats
        .iter()
        .map(|(viewer, region, (start, end))| {
            json!({"video_id": "v", "viewer_id": viewer, "region": region, "start_sec": start, "end_sec": end})
        })
        .collect();
    assert_eq!(app.post(json!(beats).to_string()).await.status(), 202);
    app.fold().await;
}

fn column(answer: &Value, name: &str) -> Vec<Value> {
    answer["days"].as_array().expect("days").iter().map(|day| day[name].clone()).collect()
}

#[tokio::test]
async fn every_day_of_the_range_is_there() {
    let app = App::start(Settings { salts: SaltSource::Made(Rotation::Never), ..Settings::default() }).await;
    watch_on(&app, "2026-11-17", &[("a", "JP", (0, 9)), ("a", "KR", (0, 4)), ("b", "JP", (5, 5))]).await;
    watch_on(&app, "2026-11-19", &[("a", "JP", (0, 99))]).await;
    compaction::run(&app.store, "2026-11-18".parse().expect("a day"), |_| ()).await.expect("a compaction");
    watch_on(&app, "2026-11-21", &[("a", "JP", (0, 0)), ("c", "JP", (0, 0))]).await;

    let answer = app.json("/v1/videos/v/days?from=2026-11-16").await;
    let days = ["2026-11-16", "2026-11-17", "2026-11-18", "2026-11-19", "2026-11-20", "2026-11-21"];
    assert_eq!(column(&answer, "day"), days);
    assert_eq!(column(&answer, "viewers"), [0, 2, 0, 1, 0, 2]);
    assert_eq!(column(&answer, "seconds_played"), [0, 16, 0, 100, 0, 2]);
    assert_eq!(
        (&answer["from"], &answer["to"], &answer["exact"], &answer["regions"]),
        (&json!("2026-11-16"), &json!("2026-11-21"), &json!(true), &json!(["GLOBAL"]))
    );
    let seen = json!([
        {"video_id": "v", "viewer_id": "a", "region": "JP"}, {"video_id": "v", "viewer_id": "b", "region": "KR"},
        {"video_id": "v", "viewer_id": "c", "region": "KR", "at": "2026-11-20T12:00:00Z"},
    ]);
    let sent = app.client.post(format!("{}/v1/views", app.url)).body(seen.to_string());
    assert_eq!(sent.send().await.expect("an answer").status(), 202);
    app.fold().await;
    let viewed = app.json("/v1/videos/v/days?from=2026-11-16").await;
    assert_eq!(column(&viewed, "views"), [0, 0, 0, 0, 1, 2]);
    assert_eq!(column(&viewed, "viewers"), column(&answer, "viewers"), "views are no heartbeats");
    let viewed = app.json("/v1/videos/v/days?from=2026-11-16&region=KR").await;
    assert_eq!(column(&viewed, "views"), [0, 0, 0, 0, 1, 1]);
    let of_one = app.json("/v1/videos/v/days?from=2026-11-16&region=KR").await;
    assert_eq!(column(&of_one, "viewers"), [0, 1, 0, 0, 0, 0]);
    let united = app.json("/v1/videos/v/days?from=2026-11-16&region=KR,JP").await;
    assert_eq!(column(&united, "viewers"), column(&answer, "viewers"));
    let recent = app.json("/v1/videos/v/days").await;
    assert_eq!((recent["days"].as_array().expect("days").len(), &recent["from"]), (28, &json!("2026-10-25")));
    let nobody = app.json("/v1/videos/nobody/days").await;
    assert_eq!(column(&nobody, "viewers"), [0; 28]);

    // What is not kept is not nothing.
    let keep = Keep { days: Some(2), ..Keep::default() };
    let through = "2026-11-20".parse().expect("a day");
    nightly::run(&app.store, &app.clock, through, keep, |_| ()).await.expect("a night");
    let kept = app.json("/v1/videos/v/days?from=2026-11-16").await;
    assert_eq!(
        column(&kept, "viewers"),
        [Value::Null, Value::Null, Value::Null, json!(1), json!(0), json!(2)]
    );
}

#[tokio::test]
async fn a_series_has_bounds() {
    let app = App::start(Settings::default()).await;
    for query in ["from=2026-11-22", "from=x", "region=G", "from=2023-01-01&to=2026-11-21", "to=2026-13-01"] {
        assert_eq!(app.get(&format!("/v1/videos/v/days?{query}")).await.status(), 400, "{query}");
    }
    let longest = app.json("/v1/videos/v/days?from=2023-11-18&to=2026-11-21").await;
    assert_eq!(longest["days"].as_array().expect("days").len(), 1_100);
}
