//! A body may have several shapes, each with several content types.

use super::{good, post, seconds_played, send, start};

#[tokio::test]
async fn every_shape_reaches_the_strip() {
    let app = start().await;
    let id = uuid::Uuid::now_v7();
    // A shape is a name, a content type, the number of heartbeats in it, and the body made of a good heartbeat.
    type Shape = (&'static str, &'static str, u64, Box<dyn Fn(&str) -> String>);
    let shapes: Vec<Shape> = vec![
        ("object", "application/json", 1, Box::new(|h| h.to_owned())),
        ("object in white space", "application/json", 1, Box::new(|h| format!("\r\n\t {h}\n \n"))),
        (
            "object with unknown fields",
            "application/json",
            1,
            Box::new(|h| h.replacen('{', r#"{"batch_id":7,"rate":1.5,"nested":{"video_id":[null]},"#, 1)),
        ),
        (
            "object with heartbeats null",
            "application/json",
            1,
            Box::new(|h| h.replacen('{', r#"{"heartbeats":null,"#, 1)),
        ),
        (
            "object with escaped names",
            "application/json",
            1,
            Box::new(|h| h.replace("video_id", "v\\u0069deo\\u005fid")),
        ),
        (
            "object with nulls",
            "application/json",
            1,
            Box::new(|h| h.replacen('{', r#"{"at":null,"duration_sec":null,"#, 1)),
        ),
        ("array of one", "application/json", 1, Box::new(|h| format!("[{h}]"))),
        ("array of three", "application/json", 3, Box::new(|h| format!(" [ {h} ,\n{h},{h}]\n"))),
        (
            "envelope",
            "application/json",
            2,
            Box::new(move |h| format!(r#"{{"batch_id":"{id}","heartbeats":[{h},{h}]}}"#)),
        ),
        (
            "envelope without an id",
            "application/json",
            2,
            Box::new(|h| format!(r#"{{"heartbeats":[{h},{h}]}}"#)),
        ),
        (
            "envelope with id null",
            "application/json",
            1,
            Box::new(|h| format!(r#"{{"batch_id":null,"heartbeats":[{h}]}}"#)),
        ),
        (
            "envelope with more in it, the heartbeats first",
            "application/json",
            1,
            Box::new(|h| {
                format!(
                    r#"{{"h\u0065artbeats" : [{h}], "sent_by":{{"heartbeats":1}}, "batch_id":"{}"}}"#,
                    uuid::Uuid::new_v4().simple()
                )
            }),
        ),
        ("NDJSON", "application/x-ndjson", 2, Box::new(|h| format!("{h}\n{h}\n"))),
        (
            "NDJSON with CRLF, empty lines and no last line break",
            "application/x-ndjson",
            3,
            Box::new(|h| format!("\r\n{h}\r\n\n  \t\n{h}\n\r\n  {h}  ")),
        ),
        ("NDJSON of one line", "application/x-ndjson; charset=utf-8", 1, Box::new(|h| h.to_owned())),
    ];
    for (number, (shape, content_type, count, make)) in shapes.iter().enumerate() {
        let body = make(&good(&format!("shape-{number}")));
        let answer = post(&app, Some(content_type), body).await;
        assert_eq!(answer.status, 202, "{shape}: {}", answer.json);
        assert_eq!(answer.json, serde_json::json!({"accepted": count, "rejected": []}), "{shape}");
        assert_eq!(answer.headers["cache-control"], "no-store", "{shape}");
    }
    let total: u64 = shapes.iter().map(|shape| shape.2).sum();
    assert_eq!(app.fold().await, total);
    for (number, (shape, _, count, _)) in shapes.iter().enumerate() {
        assert_eq!(seconds_played(&app, &format!("shape-{number}")).await, 40 * count, "{shape}");
    }
}

#[tokio::test]
async fn content_types_that_are_read() {
    let app = start().await;
    for content_type in [
        None,
        Some("application/json"),
        Some("application/json; charset=utf-8"),
        Some("application/json;charset=\"UTF-8\"; q=1"),
        Some("Application/JSON"),
        Some("  application/json  "),
        Some("text/plain"),
        Some("text/plain;charset=UTF-8"),
        Some("TEXT/PLAIN"),
    ] {
        for body in [good("typed"), format!("[{}]", good("typed"))] {
            let answer = post(&app, content_type, body).await;
            assert_eq!(answer.status, 202, "{content_type:?}: {}", answer.json);
        }
    }
    for content_type in ["application/x-ndjson", "APPLICATION/X-NDJSON;charset=utf-8"] {
        let body = format!("{}\n{}", good("typed"), good("typed"));
        assert_eq!(post(&app, Some(content_type), body).await.status, 202, "{content_type}");
    }
    assert_eq!(app.fold().await, 9 * 2 + 2 * 2);
}

#[tokio::test]
async fn other_content_types_are_told_what_to_send() {
    let app = start().await;
    for content_type in [
        "text/html",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/octet-stream",
        "application/ndjson",
        "application/jsonl",
        "application/jsonx",
        "application/problem+json",
        "json",
        "text/plain, application/json",
    ] {
        let answer = post(&app, Some(content_type), good("untyped")).await;
        let (status, text) = answer.refusal();
        assert_eq!(status, 415, "{content_type}");
        assert!(
            text.contains("Content-Type: application/json") && text.contains("application/x-ndjson"),
            "{content_type}: {text}"
        );
    }
    let url = format!("{}/v1/heartbeats", app.url);
    let unreadable = app.client.post(&url).body(good("untyped"));
    let answer = send(unreadable.header("content-type", &b"application/json\xff"[..])).await;
    assert_eq!(answer.status, 415, "a type that is no text");
    let compressed = app.client.post(&url).body(good("untyped"));
    let answer = send(compressed.header("content-encoding", "gzip")).await;
    let (status, text) = answer.refusal();
    assert_eq!(status, 415);
    assert!(text.contains("Content-Encoding"), "{text}");
    assert_eq!(app.fold().await, 0);
}
