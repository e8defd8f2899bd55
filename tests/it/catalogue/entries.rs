//! The calls that write, read and remove entries.

use reqwest::{StatusCode, header};
use serde_json::{Value, json};

use super::{beat, delete, put, send};
use crate::support::{App, Settings};

#[tokio::test]
async fn an_entry_is_written_read_replaced_and_removed() {
    let app = App::start(Settings::default()).await;
    assert_eq!(app.get("/v1/videos/v").await.status(), 404);
    let whole = json!({
        "title": "視頻 1", "duration_sec": 180.5, "channel": "c", "thumbnail_url": "https://cdn.example/v.webp",
        "published_at": "2026-11-20T10:00:00Z",
    });
    let kept = {
        let mut kept = whole.clone();
        kept["video_id"] = json!("v");
        kept["updated_at"] = json!("2026-11-21T10:00:00Z");
        kept
    };
    assert_eq!(put(&app, "v", whole.to_string()).await, (200, kept.clone()));
    assert_eq!(app.json("/v1/videos/v").await, kept);

    // A put is the whole entry: what it leaves out is unknown from then on, and what it adds is ignored.
    let (status, replaced) = put(&app, "v", r#"{"title":"t","channel":null,"views":7}"#).await;
    assert_eq!((status, &replaced["title"], &replaced["channel"]), (200, &json!("t"), &Value::Null));
    assert_eq!(app.json("/v1/videos/v").await, replaced);
    assert_eq!(replaced["duration_sec"], Value::Null);

    assert_eq!(delete(&app, "v").await, 204);
    assert_eq!(delete(&app, "v").await, 204, "again is no fault");
    let absent = app.get("/v1/videos/v").await;
    assert_eq!(absent.status(), 404);
    assert_eq!(absent.headers()[header::CONTENT_TYPE], "application/problem+json");
    // A video without an entry is as welcome as any.
    assert_eq!(send(&app, &[beat("v", "a", (0, 9))]).await, json!([]));
}

#[tokio::test]
async fn an_entry_that_is_held_is_not_sent_again() {
    let app = App::start(Settings::default()).await;
    put(&app, "v", r#"{"title":"t"}"#).await;
    for path in ["/v1/videos/v", "/v1/catalogue?video_id=v"] {
        let first = app.get(path).await;
        assert_eq!(first.headers()[header::CACHE_CONTROL], "no-cache");
        let etag = first.headers()[header::ETAG].to_str().expect("text").to_owned();
        let again = app.client.get(format!("{}{path}", app.url)).header(header::IF_NONE_MATCH, &etag);
        assert_eq!(again.send().await.expect("an answer").status(), StatusCode::NOT_MODIFIED, "{path}");
    }
}

#[tokio::test]
async fn several_come_in_the_order_asked() {
    let app = App::start(Settings::default()).await;
    put(&app, "b", r#"{"title":"B"}"#).await;
    put(&app, "a", r#"{"title":"A"}"#).await;
    let answer = app.json("/v1/catalogue?video_id=b&video_id=x&video_id=a&video_id=b").await;
    let videos: Vec<(&Value, &Value)> = answer["videos"]
        .as_array()
        .expect("videos")
        .iter()
        .map(|video| (&video["video_id"], &video["title"]))
        .collect();
    assert_eq!(videos, [(&json!("b"), &json!("B")), (&json!("x"), &Value::Null), (&json!("a"), &json!("A"))]);
    let names: Vec<String> = (0..101).map(|n| format!("video_id=v{n}")).collect();
    for (query, status) in
        [(names.join("&"), 400), (names[1..].join("&"), 200), (String::new(), 400), ("video_id=".into(), 400)]
    {
        assert_eq!(app.get(&format!("/v1/catalogue?{query}")).await.status(), status, "{query}");
    }
}

#[tokio::test]
async fn what_cannot_be_kept_is_said_by_field() {
    let app = App::start(Settings::default()).await;
    for (body, says) in [
        ("[]", "the body must be an object"),
        ("{", "the body must be an object"),
        (r#"{"title":7}"#, "title must be text of 1 to 1,000 bytes without control characters (wrong_type)"),
        (r#"{"duration_sec":0}"#, "duration_sec must be a number of seconds above 0 and at most 86,400"),
        (r#"{"channel":""}"#, "channel must be text of 1 to 128 bytes"),
        (r#"{"thumbnail_url":"javascript:alert(1)"}"#, "thumbnail_url must be an http or https address"),
        (r#"{"published_at":"soon"}"#, "published_at must be a time like"),
    ] {
        let (status, problem) = put(&app, "v", body).await;
        let detail = problem["detail"].as_str().expect("a text");
        assert!(status == 400 && detail.contains(says), "{body}: {status} {detail}");
    }
    let (status, problem) = put(&app, &"x".repeat(129), "{}").await;
    assert!(status == 400 && problem["detail"].as_str().expect("a text").contains("video_id"), "{problem}");
    let (status, _) = put(&app, "v", vec![b' '; (1 << 20) + 1]).await;
    assert_eq!(status, 413);
    assert_eq!(app.get("/v1/videos/v").await.status(), 404, "nothing of it was kept");
}
