//! What is not kept goes, and nothing else.

use chrono::NaiveDate;
use heatstrip::{
    events::{lane::lane, part::Part},
    work::{
        forget::forget,
        nightly::{self, Keep},
    },
};
use serde_json::{Value, json};
use tokio_postgres::{Client, NoTls};

use crate::support::{App, Settings};

pub const TABLES: &[&str] = &[
    "video_heatmap_shards",
    "video_heatmap_second_shards",
    "video_heatmap_whole_shards",
    "video_heatmap_growth",
    "video_heatmap_runs",
    "video_heatmap_spread",
    "video_heatmap",
    "video_heatmap_5s",
    "video_heatmap_60s",
    "video_heatmap_whole",
];

async fn client(app: &App) -> Client {
    let (client, connection) = tokio_postgres::connect(&app.database.url, NoTls).await.expect("a connection");
    tokio::spawn(connection);
    client
}

async fn count(client: &Client, from: &str) -> i64 {
    client.query_one(&format!("SELECT count(*) FROM {from}"), &[]).await.expect("a count").get(0)
}

fn today() -> NaiveDate {
    "2026-11-21".parse().expect("a day")
}

/// One heartbeat of 20 seconds a day and video, on 2026-10-30 and from 2026-11-19 to today. The first video is going to be
/// seconds, the second one runs.
async fn watch(app: &App) {
    let sql = app.database.connect().await;
    sql.batch_execute(
        "SELECT ensure_canonical_partition(day) FROM unnest(ARRAY['2026-10-30'::date, '2026-11-20']) AS d (day);
         INSERT INTO video_heatmap_spread
            SELECT 'v1', day, 0 FROM unnest(ARRAY['2026-10-30'::date, '2026-11-19', '2026-11-20']) AS d (day)",
    )
    .await
    .expect("marks");
    for day in ["2026-10-30", "2026-11-19", "2026-11-20", "2026-11-21"] {
        app.clock.set(format!("{day}T10:00:00Z").parse().expect("an instant"));
        let beats: Vec<Value> = ["v1", "v2"]
            .iter()
            .map(|video| json!({"video_id": video, "region": "JP", "start_sec": 3, "end_sec": 22, "viewer_id": "w"}))
            .collect();
        assert_eq!(app.post(json!(beats).to_string()).await.status(), 202);
    }
    app.fold().await;
}

async fn run(app: &App, keep: Keep) -> nightly::Summary {
    nightly::run(&app.store, &app.clock, today().pred_opt().expect("a day"), keep, |_| ())
        .await
        .expect("a night")
}

#[tokio::test]
async fn old_days_go_and_the_others_stay() {
    let app = App::start(Settings::default()).await;
    let sql = client(&app).await;
    watch(&app).await;
    let whole = app.json("/v1/videos/v1/heatmap?from=2026-11-20&to=2026-11-21").await;

    let summary = run(&app, Keep { days: Some(1), ..Keep::default() }).await;
    assert!(summary.dropped_partitions >= 4 && summary.deleted_rows > 0, "{summary:?}");
    for table in TABLES {
        assert_eq!(count(&sql, &format!("{table} WHERE captured_on < '2026-11-20'")).await, 0, "{table}");
        assert!(
            count(&sql, &format!("pg_class WHERE relname LIKE '{table}\\_202610%'")).await == 0,
            "{table}"
        );
    }
    assert_eq!(count(&sql, "video_heatmap_runs").await, 1, "yesterday's of the second video");
    let kept = app.json("/v1/videos/v1/heatmap").await;
    assert_eq!((&kept["from"], &kept["to"]), (&json!("2026-11-20"), &json!("2026-11-21")));
    assert_eq!(kept["buckets"], whole["buckets"]);
    assert_eq!(app.json("/v1/videos/v1/heatmap?from=2026-10-01").await["buckets"], whole["buckets"]);
    let videos = app.json("/v1/videos").await;
    assert_eq!(
        videos["videos"][0],
        json!({"video_id": "v1", "viewers": 2, "seconds_played": 40, "last_sec": 22})
    );
    assert_eq!(run(&app, Keep { days: Some(1), ..Keep::default() }).await, nightly::Summary::default());
}

#[tokio::test]
async fn days_are_not_read_from_the_moment_they_are_not_kept() {
    let app = App::start(Settings::default()).await;
    watch(&app).await;
    app.store.advance_retention(Some(today()), None).await.expect("a later day");
    app.store.advance_retention(Some("2026-11-01".parse().expect("a day")), None).await.expect("never back");
    let strip = app.json("/v1/videos/v1/heatmap").await;
    assert_eq!((&strip["from"], &strip["viewers"]), (&json!("2026-11-21"), &json!(1)));
    assert_eq!(app.json("/v1/videos").await["videos"][0]["viewers"], 1);
}

#[tokio::test]
async fn heartbeats_of_days_that_are_not_kept_are_refused() {
    let app = App::start(Settings::default()).await;
    run(&app, Keep { days: Some(1), ..Keep::default() }).await;
    let beat = |at: &str| json!({"video_id": "v", "start_sec": 0, "end_sec": 9, "viewer_id": "w", "at": at});
    let beats = json!([beat("2026-11-20T00:00:00Z"), beat("2026-11-19T23:59:59Z")]);
    let answer: Value = app.post(beats.to_string()).await.json().await.expect("JSON");
    assert_eq!(
        answer,
        json!({"accepted": 1, "rejected": [{"index": 1, "field": "at", "reason": "too_old"}]})
    );
}

#[tokio::test]
async fn thinned_days_answer_multiples_of_5() {
    let app = App::start(Settings::default()).await;
    let sql = client(&app).await;
    watch(&app).await;
    let paths =
        ["5", "10", "60", "3600"].map(|resolution| format!("/v1/videos/v1/heatmap?resolution={resolution}"));
    let mut before = Vec::new();
    for path in &paths {
        before.push(app.json(path).await["buckets"].clone());
    }
    let keep = Keep { fine_days: Some(1), ..Keep::default() };
    // Kept by the second once, not from the start.
    run(&app, Keep::default()).await;
    let summary = run(&app, keep).await;
    // Two days of 20 seconds, in the region and in GLOBAL; the runs of the other video stay.
    assert_eq!(summary.thinned_rows, 2 * 20 * 2);
    assert_eq!(count(&sql, "video_heatmap WHERE captured_on < '2026-11-20'").await, 0);
    assert_eq!(count(&sql, "video_heatmap").await, 20 * 2, "yesterday's");
    assert_eq!(count(&sql, "video_heatmap_runs WHERE captured_on < '2026-11-20'").await, 2);
    assert_eq!(run(&app, keep).await.thinned_rows, 0);
    for (path, buckets) in paths.iter().zip(&before) {
        assert_eq!(app.json(path).await["buckets"], *buckets, "{path}");
    }
    for resolution in ["1", "7"] {
        let refused = app.get(&format!("/v1/videos/v1/heatmap?resolution={resolution}")).await;
        assert_eq!(refused.status(), 422);
        let problem: Value = refused.json().await.expect("a problem");
        assert!(problem["detail"].as_str().expect("a text").contains("2026-11-20"), "{problem}");
        app.json(&format!("/v1/videos/v1/heatmap?resolution={resolution}&from=2026-11-20")).await;
        // Days of which this video has nothing need no seconds.
        app.json(&format!("/v1/videos/nobody/heatmap?resolution={resolution}&from=2026-11-01")).await;
    }

    // What comes late for a thinned day is counted, but not by the second.
    app.clock.set("2026-11-21T09:00:00Z".parse().expect("an instant"));
    let late = json!({"video_id": "v1", "start_sec": 3, "end_sec": 22, "viewer_id": "x", "at": "2026-11-19T11:00:00Z"});
    assert_eq!(app.post(late.to_string()).await.status(), 202);
    app.fold().await;
    let counted = app.json(&paths[0]).await["viewers"].clone();
    run(&app, keep).await;
    assert_eq!(app.json(&paths[0]).await["viewers"], counted);
    assert_eq!(counted, 5);
    assert_eq!(count(&sql, "video_heatmap WHERE captured_on < '2026-11-20'").await, 0);
}

#[tokio::test]
async fn a_forgotten_video_is_nowhere() {
    let app = App::start(Settings::default()).await;
    let sql = client(&app).await;
    watch(&app).await;
    run(&app, Keep::default()).await;
    // In the queue together with others of its lane.
    let of_v1 = lane("v1", app.store.lanes());
    let neighbour = (0..).map(|n| format!("n{n}")).find(|id| lane(id, app.store.lanes()) == of_v1);
    let neighbour = neighbour.expect("there are more ids than lanes");
    let beat = |video: &str| json!({"video_id": video, "start_sec": 0, "end_sec": 9, "viewer_id": "w"});
    assert_eq!(app.post(json!([beat("v1"), beat(&neighbour), beat("v1")]).to_string()).await.status(), 202);
    assert_eq!(app.post(json!([beat("v1")]).to_string()).await.status(), 202);

    let day = forget(&app.store, "v1", of_v1, &Part::of_day(Some(today()))).await.expect("forgotten");
    assert_eq!((day.heartbeats.queued, day.rows.canonical), (3, 0));
    assert_eq!(day.rows.shards, 1 + 1);
    assert_eq!(app.json("/v1/videos/v1/heatmap").await["to"], "2026-11-20");
    let all = forget(&app.store, "v1", of_v1, &Part::default()).await.expect("forgotten");
    assert!(all.rows.canonical > 0 && all.rows.shards == 0, "{all:?}");

    app.fold().await;
    for table in TABLES {
        assert_eq!(count(&sql, &format!("{table} WHERE video_id = 'v1'")).await, 0, "{table}");
    }
    assert_eq!(app.json("/v1/videos/v1/heatmap").await["buckets"], json!([]));
    assert_eq!(app.json(&format!("/v1/videos/{neighbour}/heatmap")).await["seconds_played"], 10);
    assert_eq!(app.json("/v1/videos/v2/heatmap").await["seconds_played"], 80);
}
