//! What is told of videos: one, a hundred at once, scopes, caching, plans.

use serde_json::json;

use super::{at, numbers, view, views};
use crate::support::{App, Settings, heatstrip};

#[tokio::test]
async fn one_call_answers_what_a_page_shows() {
    let app = App::start(Settings::default()).await;
    view(&app, json!([{"video_id": "v", "viewer_id": "ada"}, {"video_id": "v", "viewer_id": "bob"}])).await;
    let expected = json!({
        "video_id": "v", "views": 2,
        "viewers": {"recent": 2, "recent_from": null, "recent_scope": "viewers",
            "lifetime": 2, "scope": "viewers", "exact": true, "relative_error": 0.0},
        "rule": {"after_secs": 10, "window_mins": 30}, "generated_at": "2026-11-21T10:00:00Z",
    });
    assert_eq!(views(&app, "v").await, expected);
    assert_eq!(numbers(&app, "nobody").await, (0, 0, 0));
}

#[tokio::test]
async fn a_hundred_videos_are_answered_in_the_order_asked() {
    let app = App::start(Settings::default()).await;
    view(&app, json!([{"video_id": "b", "viewer_id": "ada"}, {"video_id": "a&b=c", "viewer_id": "ada"}]))
        .await;
    let answer = app.json("/v1/views?video_id=nobody&video_id=a%26b%3Dc&video_id=b&video_id=b").await;
    let entries: Vec<(&str, u64)> = answer["videos"]
        .as_array()
        .expect("videos")
        .iter()
        .map(|entry| (entry["video_id"].as_str().expect("an id"), entry["views"].as_u64().expect("a number")))
        .collect();
    assert_eq!(entries, [("nobody", 0), ("a&b=c", 1), ("b", 1), ("b", 1)]);
    assert_eq!(answer["rule"], json!({"after_secs": 10, "window_mins": 30}));
    let ids = |many: usize| vec!["video_id=b"; many].join("&");
    assert_eq!(app.get(&format!("/v1/views?{}", ids(100))).await.status(), 200);
    for wrong in [ids(101), String::new(), "video_id=".to_owned(), "video=b".to_owned()] {
        assert_eq!(app.get(&format!("/v1/views?{wrong}")).await.status(), 400, "{wrong}");
    }
}

/// A person is another hash in another month, and the answer says so.
#[tokio::test]
async fn the_scope_says_what_is_counted() {
    let app = App::start(Settings { now: at("2026-10-31T23:00:00Z"), ..Settings::default() }).await;
    let ada = json!({"video_id": "v", "viewer_id": "ada"});
    view(&app, ada.clone()).await;
    app.clock.set(at("2026-11-01T10:00:00Z"));
    view(&app, ada).await;
    let viewers = &views(&app, "v").await["viewers"];
    assert_eq!((&viewers["recent"], &viewers["recent_scope"]), (&json!(2), &json!("viewer-months")));
    assert_eq!((&viewers["lifetime"], &viewers["scope"]), (&json!(2), &json!("viewer-months")));
    let november = app.json("/v1/videos/v/views?from=2026-11-01").await;
    assert_eq!((&november["viewers"], &november["scope"]), (&json!(1), &json!("viewers")));
    let both = app.json("/v1/videos/v/views?region=ZZ").await;
    assert_eq!((&both["viewers"], &both["scope"]), (&json!(2), &json!("viewer-months")));
}

#[tokio::test]
async fn answers_are_cached_and_tagged_as_strips_are() {
    let app = App::start(Settings { cache_ttl_secs: 60, ..Settings::default() }).await;
    view(&app, json!({"video_id": "v", "viewer_id": "ada"})).await;
    for path in ["/v1/videos/v/views", "/v1/views?video_id=v", "/v1/videos/v/views?region=ZZ"] {
        let first = app.get(path).await;
        let etag = first.headers()["etag"].to_str().expect("a tag").to_owned();
        assert!(first.headers()["cache-control"].to_str().expect("text").starts_with("public, max-age="));
        let again = app.client.get(format!("{}{path}", app.url)).header("if-none-match", etag);
        assert_eq!(again.send().await.expect("an answer").status(), 304, "{path}");
    }
    view(&app, json!({"video_id": "v", "viewer_id": "bob"})).await;
    assert_eq!(numbers(&app, "v").await.0, 1, "kept for a while");
}

/// A page's read looks at one row, whatever there is: its plan names the primary key and nothing that grows.
#[tokio::test]
async fn a_read_is_one_row_of_each_table() {
    let app = App::start(Settings::default()).await;
    let sql = app.database.connect().await;
    sql.batch_execute(
        "INSERT INTO view_totals (video_id, views)
         SELECT 'video ' || n, n FROM generate_series(1, 20000) AS n; ANALYZE view_totals",
    )
    .await
    .expect("rows");
    let statement = include_str!("../../../sql/queries/views/read_view_totals.sql");
    for many in [1, 100] {
        let ids: Vec<String> = (0..many).map(|n| format!("video {}", n * 7)).collect();
        let ids = format!("ARRAY{ids:?}").replace('"', "'");
        let explain = format!("EXPLAIN (ANALYZE, BUFFERS, TIMING OFF) {}", statement.replace("$1", &ids));
        let rows = sql.query(&explain, &[]).await.expect("a plan");
        let plan: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
        assert!(plan[0].contains("Scan"), "{plan:#?}");
        let buffers = plan.iter().find(|line| line.contains("Buffers:")).expect("how much was read");
        let numbers = buffers.split(['=', ' ']).filter_map(|part| part.parse::<u64>().ok());
        assert!(numbers.sum::<u64>() <= 8 * many, "{many} videos: {plan:#?}");
    }
}

#[tokio::test]
async fn the_terminal_says_it_in_a_line() {
    let app = App::start(Settings::default()).await;
    view(&app, json!([{"video_id": "v", "viewer_id": "ada"}, {"video_id": "v", "viewer_id": "bob"}])).await;
    let mut show = heatstrip(&["show", "v", "--views"]);
    let output = show.env("DATABASE_URL", &app.database.url).output().await.expect("the binary");
    let text = String::from_utf8(output.stdout).expect("text");
    assert!(text.ends_with("2 views · 2 recent viewers · 2 viewers ever\n"), "{text}");
}
