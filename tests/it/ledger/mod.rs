//! What became of what was sent: counted once where it was accepted, and by its reason where it was not.

use std::{
    process::{Command, Stdio},
    time::Duration,
};

use heatstrip::{
    events::{lane::lane, part::Part},
    heatmap::compaction,
    work::{
        forget::forget,
        nightly::{self, Keep},
    },
};
use serde_json::{Value, json};
use tokio_postgres::Client;

use crate::support::{App, Settings, heatstrip, until};

fn beat(video: &str, viewer: &str, start_sec: i64, end_sec: i64, at: &str) -> Value {
    json!({"video_id": video, "viewer_id": viewer, "region": "JP", "start_sec": start_sec, "end_sec": end_sec, "at": at})
}

const NOON: &str = "2026-11-21T09:00:00Z";

async fn ledger(app: &App, video: &str) -> Value {
    let mut answer = app.json(&format!("/v1/videos/{video}/ledger")).await;
    answer.as_object_mut().expect("an object").remove("generated_at");
    answer
}

async fn send(app: &App, path: &str, body: &Value) -> u16 {
    let request = app.client.post(format!("{}{path}", app.url)).json(body);
    request.send().await.expect("an answer").status().as_u16()
}

/// The ledger once so many refused elements of the video, and of all unknown ones, are written.
async fn written(app: &App, video: &str, refused: u64, unknown: u64) -> Value {
    let sum = |refused: &Value| -> u64 {
        refused
            .as_array()
            .expect("an array")
            .iter()
            .map(|of| of["elements"].as_u64().expect("a number"))
            .sum()
    };
    until("what was refused is written", Duration::from_secs(20), async || {
        let answer = ledger(app, video).await;
        let days = answer["days"].as_array().expect("an array");
        let of_video: u64 =
            days.iter().map(|day| sum(&day["heartbeats"]["refused"]) + sum(&day["views"]["refused"])).sum();
        let others = &answer["unknown_videos"];
        let is_written = (of_video, sum(&others["heartbeats"]) + sum(&others["views"])) == (refused, unknown);
        is_written.then_some(answer)
    })
    .await
}

async fn count(sql: &Client, from: &str) -> i64 {
    sql.query_one(&format!("SELECT count(*) FROM {from}"), &[]).await.expect("a count").get(0)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_became_of_everything() {
    let app = App::start(Settings::default()).await;
    let yesterday = "2026-11-20T12:00:00Z";
    let first = json!({"batch_id": "00000000-0000-4000-8000-000000000001", "heartbeats": [
        beat("v", "ada", 0, 9, NOON), beat("v", "ada", 0, 9, NOON), beat("v", "bob", 0, 9, yesterday),
        beat("v", "bob", 9, 0, NOON), beat("v", "bob", 0, 9, "2026-11-19T09:00:00Z"),
    ]});
    assert_eq!(send(&app, "/v1/heartbeats", &first).await, 202);
    // Nothing is accepted of it yet, nor ever of the other.
    let unknown = written(&app, "v", 0, 2).await["unknown_videos"].clone();
    let refused =
        json!([{"reason": "end_before_start", "elements": 1}, {"reason": "too_old", "elements": 1}]);
    assert_eq!(unknown, json!({"heartbeats": refused, "views": []}));
    app.fold().await;
    // A retry is answered as the first try was, and counts nothing again; a dry run counts nothing at all.
    assert_eq!(send(&app, "/v1/heartbeats", &first).await, 202);
    assert_eq!(send(&app, "/v1/heartbeats?dry_run=1", &first["heartbeats"]).await, 200);
    let bad = json!([
        beat("v", "bob", 9, 0, NOON),
        beat("v", "", 0, 9, NOON),
        beat("ghost", "bob", 9, 0, NOON),
        json!({"video_id": 7}),
        json!(["v"]),
    ]);
    assert_eq!(send(&app, "/v1/heartbeats", &bad).await, 422);
    let view = |viewer: &str, at: &str| json!({"video_id": "v", "viewer_id": viewer, "at": at});
    let views = json!([
        view("ada", NOON),
        view("ada", "2026-11-21T09:10:00Z"),
        view("ada", "2026-11-21T09:45:00Z"),
        view("ada", yesterday),
        view("", NOON),
    ]);
    assert_eq!(send(&app, "/v1/views", &views).await, 202);
    app.fold().await;
    let answer = written(&app, "v", 3, 5).await;
    let expected = json!([
        {
            "day": "2026-11-20",
            "heartbeats": {"accepted": 1, "other_region": 0, "set_aside": 0, "refused": []},
            "views": {"accepted": 1, "counted": 1, "repeated": 0, "other_region": 0, "set_aside": 0, "refused": []},
        },
        {
            "day": "2026-11-21",
            "heartbeats": {
                "accepted": 2, "other_region": 0, "set_aside": 0,
                "refused": [{"reason": "empty", "elements": 1}, {"reason": "end_before_start", "elements": 1}],
            },
            "views": {
                "accepted": 3, "counted": 2, "repeated": 1, "other_region": 0, "set_aside": 0,
                "refused": [{"reason": "empty", "elements": 1}],
            },
        },
    ]);
    assert_eq!(answer["days"], expected);
    let unknown = json!([
        {"reason": "end_before_start", "elements": 2}, {"reason": "malformed", "elements": 1},
        {"reason": "too_old", "elements": 1}, {"reason": "wrong_type", "elements": 1},
    ]);
    assert_eq!(answer["unknown_videos"], json!({"heartbeats": unknown, "views": []}));
    // Whoever asks about a video that nobody knows sees what became of all of those.
    let ghost = ledger(&app, "ghost").await;
    assert_eq!((&ghost["days"], &ghost["unknown_videos"]), (&json!([]), &answer["unknown_videos"]));
    let of_a_day = app.json("/v1/videos/v/ledger?from=2026-11-20&to=2026-11-20").await;
    assert_eq!(of_a_day["days"], json!([expected[0]]));

    // The numbers are the same in whatever form the rows are.
    compaction::run(&app.store, app.clock.today(), |_| ()).await.expect("a compaction");
    assert_eq!(ledger(&app, "v").await, answer);
    assert_eq!(send(&app, "/v1/heartbeats", &json!([beat("v", "cem", 0, 9, NOON)])).await, 202);
    app.fold().await;
    assert_eq!(ledger(&app, "v").await["days"][1]["heartbeats"]["accepted"], 3);

    let mut shown = heatstrip(&["ledger", "v", "--from", "2026-11-20", "--to", "2026-11-21"]);
    let output = shown.env("DATABASE_URL", &app.database.url).output().await.expect("the binary");
    let text = String::from_utf8(output.stdout).expect("text");
    assert!(text.starts_with("2026-11-20  1 heartbeats accepted · 1 views accepted\n"), "{text}");
    let today = "2026-11-21  3 heartbeats accepted · 1 empty · 1 end_before_start · 3 views accepted · 1 of them repeated · 1 views empty\n";
    assert!(text.contains(today) && text.contains("all together: 2 end_before_start"), "{text}");

    // What came stays true if a part of it is forgotten; it goes with the video, and with its day.
    let lane = lane("v", app.store.lanes());
    let behind = Part { after_sec: Some(4), ..Part::default() };
    forget(&app.store, "v", lane, &behind).await.expect("forgotten");
    assert_eq!(ledger(&app, "v").await["days"][1]["heartbeats"]["accepted"], 3);
    app.clock.set("2026-11-23T10:00:00Z".parse().expect("an instant"));
    let keep = Keep { days: Some(2), ..Keep::default() };
    nightly::run(&app.store, &app.clock, "2026-11-22".parse().expect("a day"), keep, |_| ())
        .await
        .expect("a night");
    assert_eq!(ledger(&app, "v").await["days"].as_array().expect("an array").len(), 1);
    assert_eq!(ledger(&app, "v").await["days"][0]["day"], "2026-11-21");
    forget(&app.store, "v", lane, &Part::default()).await.expect("forgotten");
    assert_eq!(ledger(&app, "v").await["days"], json!([]));
    let sql = app.database.connect().await;
    assert_eq!(count(&sql, "ledger WHERE video_id <> ''").await, 0);
    let keep = Keep { days: Some(1), ..Keep::default() };
    nightly::run(&app.store, &app.clock, "2026-11-22".parse().expect("a day"), keep, |_| ())
        .await
        .expect("a night");
    assert_eq!(count(&sql, "ledger").await, 0);
}

/// Whoever invents videos, or puts a viewer's id in the place of one, adds rows only of reasons.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn invented_videos_fill_no_ledger() {
    let app = App::start(Settings::default()).await;
    let sql = app.database.connect().await;
    for request in 0..2 {
        let bad: Vec<Value> =
            (0..6_000).map(|n| beat(&format!("invented {request} {n}"), "ada", 9, 0, NOON)).collect();
        assert_eq!(send(&app, "/v1/heartbeats", &bad.into()).await, 422);
    }
    let answer = written(&app, "invented 0 0", 0, 12_000).await;
    let refused = json!([{"reason": "end_before_start", "elements": 12_000}]);
    assert_eq!(answer["unknown_videos"]["heartbeats"], refused);
    assert_eq!((count(&sql, "ledger").await, count(&sql, "ledger WHERE video_id <> ''").await), (1, 0));
}

/// A fold that dies counts nothing, and the next one counts everything once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fold_that_dies_counts_nothing() {
    let app = App::start(Settings::default()).await;
    let at = |minutes: u32| format!("2026-11-21T09:{minutes:02}:00Z");
    let mut beats = Vec::new();
    for n in 0..20 {
        let mut beat = beat("v", &format!("viewer {}", n % 5), n, n + 9, &at(n as u32));
        beat["view"] = true.into();
        beats.push(beat);
    }
    assert_eq!(send(&app, "/v1/heartbeats", &beats.into()).await, 202);
    let mut work = Command::new(env!("CARGO_BIN_EXE_heatstrip"));
    work.args(["work", "--once"]).env("DATABASE_URL", &app.database.url).stdout(Stdio::null());
    let status = work.env("FAILPOINTS", "ledger::repeats=return").stderr(Stdio::null()).status();
    assert!(!status.expect("the program").success(), "it died behind the heartbeats and amid the views");
    assert_eq!(ledger(&app, "v").await["days"], json!([]), "nothing is counted, and nothing is gone");
    assert_eq!(app.store.queue_depth().await.expect("a depth").heartbeats, 40);
    app.fold().await;
    let day = &ledger(&app, "v").await["days"][0];
    assert_eq!(day["heartbeats"]["accepted"], 20);
    assert_eq!(
        day["views"],
        json!({"accepted": 20, "counted": 5, "repeated": 15, "other_region": 0, "set_aside": 0, "refused": []})
    );
}

/// What cannot be folded even alone is in the ledger as well.
#[tokio::test]
async fn what_is_set_aside_is_told() {
    let app = App::start(Settings::default()).await;
    let sql = app.database.connect().await;
    // What a fault of the database would look like: rows of this video, and of this region, cannot be written.
    sql.batch_execute(
        "ALTER TABLE video_heatmap_growth ADD CHECK (video_id <> 'bad');
         ALTER TABLE recent_views ADD CHECK (region <> 'XX')",
    )
    .await
    .expect("a fault");
    let views = json!([{"video_id": "bad", "viewer_id": "ada", "region": "XX", "at": NOON}]);
    let beats = json!([beat("v", "bob", 0, 9, NOON), beat("bad", "ada", 0, 9, NOON)]);
    assert_eq!(send(&app, "/v1/heartbeats", &beats).await, 202);
    assert_eq!(send(&app, "/v1/views", &views).await, 202);
    app.fold().await;
    let day = &ledger(&app, "v").await["days"][0];
    assert_eq!(day["heartbeats"], json!({"accepted": 1, "other_region": 0, "set_aside": 0, "refused": []}));
    let day = &ledger(&app, "bad").await["days"][0];
    assert_eq!(day["heartbeats"], json!({"accepted": 0, "other_region": 0, "set_aside": 1, "refused": []}));
    assert_eq!(day["views"]["set_aside"], 1);
}
