//! `POST /v1/views`, and heartbeats that are views: shapes, refusals, retries.

use serde_json::json;

use super::{numbers, post, view, views};
use crate::support::{App, Settings};

#[tokio::test]
async fn a_view_is_counted_in_every_shape() {
    let app = App::start(Settings::default()).await;
    let one = |viewer: &str| json!({"video_id": "v", "viewer_id": viewer});
    view(&app, one("ada")).await;
    view(&app, json!([one("bob"), one("cem")])).await;
    view(&app, json!({"batch_id": "0193519e-6ac4-7f2b-9df5-6f2a6e2b8a11", "views": [one("dan")]})).await;
    let lines = format!("{}\n\n{}\n", one("eve"), one("ada"));
    let request = app.client.post(format!("{}/v1/views", app.url)).body(lines);
    let answer = request.header("content-type", "application/x-ndjson").send().await.expect("an answer");
    assert_eq!(answer.status(), 202);
    app.fold().await;
    assert_eq!(numbers(&app, "v").await, (5, 5, 5), "ada counts once");
}

#[tokio::test]
async fn a_heartbeat_says_that_its_session_is_a_view() {
    let app = App::start(Settings::default()).await;
    let beat = |viewer: &str, view: serde_json::Value| json!({"video_id": "v", "start_sec": 0, "end_sec": 9, "viewer_id": viewer, "view": view});
    let body = json!([beat("ada", json!(true)), beat("bob", json!(false)), beat("cem", json!(null))]);
    let (status, answer) = post(&app, "/v1/heartbeats", &body).await;
    assert_eq!((status, &answer["accepted"]), (202, &json!(3)), "a heartbeat with a view is one: {answer}");
    let (status, answer) = post(&app, "/v1/heartbeats", &beat("dan", json!("yes"))).await;
    let rejected = json!([{"index": 0, "field": "view", "reason": "wrong_type"}]);
    assert_eq!((status, &answer["rejected"]), (422, &rejected));
    assert_eq!(app.fold().await, 4, "three heartbeats and a view");
    assert_eq!(numbers(&app, "v").await, (1, 1, 1));
    let strip = app.json("/v1/videos/v/heatmap").await;
    assert_eq!((&strip["viewers"], &strip["seconds_played"]), (&json!(3), &json!(30)));
}

/// A view and a heartbeat of one person have nothing in common, so that nobody can join them.
#[tokio::test]
async fn views_are_hashed_with_salts_of_their_own() {
    let app = App::start(Settings::default()).await;
    let beat = json!({"video_id": "v", "start_sec": 0, "end_sec": 9, "viewer_id": "ada", "view": true});
    post(&app, "/v1/heartbeats", &beat).await;
    app.fold().await;
    let sql = app.database.connect().await;
    let row = sql
        .query_one(
            "SELECT array_agg(purpose || ' ' || first_day || ' ' || rotation ORDER BY purpose),
                 count(DISTINCT salt),
                 (SELECT count(*) FROM recent_views AS r, video_heatmap_shards AS s
                  WHERE s.viewers = hll_add(hll_empty(12, 5), hll_hash_bigint(r.viewer)))
             FROM salt_epochs",
            &[],
        )
        .await
        .expect("the epochs");
    let epochs: Vec<String> = row.get(0);
    assert_eq!(epochs, ["heartbeats 2026-11-21 daily", "views 2026-11-01 monthly"]);
    assert_eq!((row.get::<_, i64>(1), row.get::<_, i64>(2)), (2, 0));
}

#[tokio::test]
async fn a_bad_view_costs_no_good_one() {
    let app = App::start(Settings::default()).await;
    let body = json!([
        {"video_id": "v", "viewer_id": "ada"},
        {"video_id": "v"},
        {"video_id": "", "viewer_id": "ada"},
        {"video_id": "v", "viewer_id": "ada", "at": "2026-11-19T09:59:59Z"},
        {"video_id": "v", "viewer_id": "ada", "at": "2026-11-21T10:05:01Z"},
        {"video_id": "v", "viewer_id": "ada", "region": "GLOBAL"},
        7,
    ]);
    let (status, answer) = post(&app, "/v1/views", &body).await;
    let rejected = json!([
        {"index": 1, "field": "viewer_id", "reason": "missing"},
        {"index": 2, "field": "video_id", "reason": "empty"},
        {"index": 3, "field": "at", "reason": "too_old"},
        {"index": 4, "field": "at", "reason": "in_future"},
        {"index": 5, "field": "region", "reason": "reserved"},
        {"index": 6, "field": null, "reason": "malformed"},
    ]);
    assert_eq!((status, &answer["accepted"], &answer["rejected"]), (202, &json!(1), &rejected));
    let (status, answer) = post(&app, "/v1/views", &json!([{"viewer_id": "ada"}])).await;
    assert_eq!((status, &answer["detail"]), (422, &json!("none of the views can be accepted")));
    let (status, answer) = post(&app, "/v1/views", &json!({"views": 7})).await;
    assert_eq!((status, &answer["detail"]), (400, &json!("bad envelope: views must be an array")));
    app.fold().await;
    assert_eq!(numbers(&app, "v").await.0, 1);
}

/// A retry counts once, and an id means something else at another endpoint.
#[tokio::test]
async fn batch_ids_are_remembered_by_endpoint() {
    let app = App::start(Settings::default()).await;
    let batch_id = "0193519e-6ac4-7f2b-9df5-6f2a6e2b8a11";
    let views_body = json!({"batch_id": batch_id, "views": [{"video_id": "v", "viewer_id": "ada"}]});
    let beat = json!({"video_id": "v", "start_sec": 0, "end_sec": 9, "viewer_id": "ada"});
    let beats_body = json!({"batch_id": batch_id, "heartbeats": [beat]});
    for duplicate in [json!(null), json!(true)] {
        for (path, body) in [("/v1/views", &views_body), ("/v1/heartbeats", &beats_body)] {
            let (status, answer) = post(&app, path, body).await;
            assert_eq!((status, &answer["accepted"], &answer["duplicate"]), (202, &json!(1), &duplicate));
        }
        // Outside the window, so that a view that was sent twice would count twice.
        app.clock.set(app.clock.now() + chrono::TimeDelta::minutes(5));
    }
    let broken = json!({"batch_id": batch_id, "views": []});
    let (status, answer) = post(&app, "/v1/views", &broken).await;
    assert_eq!((status, &answer["duplicate"]), (202, &json!(true)), "known, whatever is in it now");
    assert_eq!(app.fold().await, 2);
}

/// Whatever a sender says, no view is later than its arrival: a forged one neither leads a list nor stays recent for longer.
#[tokio::test]
async fn a_forged_instant_is_clamped() {
    let app = App::start(Settings::default()).await;
    view(&app, json!({"video_id": "v", "viewer_id": "ada", "at": "2026-11-21T10:04:59Z"})).await;
    let sql = app.database.connect().await;
    let last: chrono::DateTime<chrono::Utc> =
        sql.query_one("SELECT last_at FROM recent_views", &[]).await.expect("a row").get(0);
    assert_eq!(last, app.clock.now());
}

/// The payload of the queue is all that there is of a view before it is folded.
#[tokio::test]
async fn a_view_that_cannot_be_folded_is_set_aside() {
    let app = App::start(Settings::default()).await;
    let sql = app.database.connect().await;
    // What a fault of the database would look like: this viewer's row cannot be written.
    sql.batch_execute("ALTER TABLE recent_views ADD CHECK (region <> 'XX')").await.expect("a fault");
    let one = |viewer: &str, region: &str| json!({"video_id": "v", "viewer_id": viewer, "region": region});
    view(&app, json!([one("ada", "JP"), one("bob", "XX"), one("cem", "JP")])).await;
    assert_eq!(numbers(&app, "v").await, (2, 2, 2));
    let row = sql
        .query_one(
            "SELECT video_id, region, start_sec IS NULL, length(payload) FROM heartbeat_queue_failed",
            &[],
        )
        .await
        .expect("one row");
    assert_eq!((row.get::<_, &str>(0), row.get::<_, &str>(1), row.get::<_, bool>(2)), ("v", "XX", true));
    assert_eq!(row.get::<_, i32>(3), 1 + 2 + 3 + 4 + 8 + 8);
    let forgotten = heatstrip::work::forget::forget(&app.store, "v", 0, &Default::default()).await;
    assert_eq!(forgotten.expect("forgotten").heartbeats.failed, 1);
}

#[tokio::test]
async fn the_rule_is_echoed_and_kept() {
    let rule = heatstrip::config::ViewRuleSettings { view_after_secs: Some(3), view_window_mins: Some(60) };
    let app = App::start(Settings { view_rule: rule, ..Settings::default() }).await;
    assert_eq!(views(&app, "v").await["rule"], json!({"after_secs": 3, "window_mins": 60}));
    // A process that is started without the settings leaves them.
    app.store.set_view_rule(None, None).await.expect("nothing to set");
    app.store.set_view_rule(None, Some(5)).await.expect("set");
    assert_eq!(views(&app, "v").await["rule"], json!({"after_secs": 3, "window_mins": 5}));
    let client = app.get("/heatstrip.js").await.text().await.expect("the client");
    assert!(client.contains("viewAfter:") && client.contains("=3,"), "the client knows the setting");
}
