//! Everything is served below a path, and nothing beside it.

use serde_json::json;

use crate::support::{App, Settings};

async fn start() -> App {
    App::start(Settings { base_path: "/heat".parse().expect("a path"), ..Settings::default() }).await
}

#[tokio::test]
async fn everything_is_below_the_path() {
    let app = start().await;
    let root = app.url.strip_suffix("/heat").expect("the path").to_owned();
    let beat = json!({"video_id": "a/b", "viewer_id": "a", "start_sec": 0, "end_sec": 9}).to_string();
    assert_eq!(app.post(beat.clone()).await.status(), 202);
    app.fold().await;
    assert_eq!(app.json("/v1/videos/a%2Fb/heatmap").await["viewers"], 1);
    let names = [
        "/",
        "/docs",
        "/openapi.json",
        "/healthz",
        "/readyz",
        "/metrics",
        "/heatstrip.js",
        "/heat-strip.js",
        "/assets/dashboard-0123456789abcdef.js",
        "/v1/videos",
    ];
    for path in names {
        let below = app.get(path).await;
        assert_eq!(below.status(), 200, "{path}");
        assert!(below.headers().contains_key("x-request-id"), "{path}");
        let beside = app.client.get(format!("{root}{path}")).send().await.expect("an answer");
        assert_eq!(beside.status(), 404, "{path}");
        assert_eq!(beside.headers()["content-type"], "application/problem+json", "{path}");
        assert!(beside.headers().contains_key("x-request-id"), "{path}");
    }
    let beside = app.client.post(format!("{root}/v1/heartbeats")).body(beat);
    assert_eq!(beside.send().await.expect("an answer").status(), 404);
    let preflight = app
        .client
        .request(reqwest::Method::OPTIONS, format!("{}/v1/heartbeats", app.url))
        .header("origin", "https://player.example")
        .header("access-control-request-method", "POST");
    assert_eq!(preflight.send().await.expect("an answer").headers()["access-control-allow-origin"], "*");

    assert_eq!(app.json("/openapi.json").await["servers"], json!([{"url": "/heat"}]));
    // The routes have the same names as everywhere.
    let metrics = app.get("/metrics").await.text().await.expect("a text");
    assert!(metrics.contains(r#"route="/v1/videos/{video_id}/heatmap""#), "{metrics}");
    assert!(!metrics.contains("/heat/"), "{metrics}");
}

/// The page names everything relative to itself, so its address ends with a slash.
#[tokio::test]
async fn the_path_alone_leads_to_the_dashboard() {
    let app = start().await;
    let client =
        reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().expect("a client");
    for (query, location) in [("", "/heat/"), ("?video=a%2Fb&days=7", "/heat/?video=a%2Fb&days=7")] {
        let response = client.get(format!("{}{query}", app.url)).send().await.expect("an answer");
        assert_eq!(response.status(), 308);
        assert_eq!(response.headers()["location"], location);
    }
}
