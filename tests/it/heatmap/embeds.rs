//! What pages of other sites load.

use crate::support::{App, Settings};

#[tokio::test]
async fn any_site_loads_the_player_client_and_keeps_it() {
    let app = App::start(Settings::default()).await;
    let files = [
        ("/heatstrip.js", "/v1/heartbeats"),
        ("/heatstrip.classic.js", "/v1/heartbeats"),
        ("/heatstrip.d.ts", "interface Options"),
    ];
    for (path, has) in files {
        let request = app.client.get(format!("{}{path}", app.url)).header("origin", "https://player.example");
        let response = request.send().await.expect("an answer");
        assert_eq!(response.status(), 200, "{path}");
        let header = |name| response.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or("");
        assert_eq!(header("content-type"), "text/javascript; charset=utf-8");
        assert_eq!(header("access-control-allow-origin"), "*");
        assert_eq!(header("cross-origin-resource-policy"), "cross-origin");
        assert_eq!(header("cache-control"), "public, max-age=3600, stale-while-revalidate=86400");
        // Weak, as the same text may come compressed.
        let etag = header("etag").to_owned();
        let opaque = etag.strip_prefix("W/").unwrap_or_default().to_owned();
        assert!(opaque.starts_with('"') && opaque.len() > 2, "a weak tag: {etag}");
        let text = response.text().await.expect("text");
        assert!(text.contains(has), "{path}: {text}");

        for (held, status) in [(etag.as_str(), 304), (opaque.as_str(), 304), ("\"another\"", 200)] {
            let request = app.client.get(format!("{}{path}", app.url)).header("if-none-match", held);
            let response = request.send().await.expect("an answer");
            assert_eq!(response.status(), status, "{path}, {held}");
            assert_eq!(response.headers()["etag"].to_str().expect("text"), etag);
            assert_eq!(response.text().await.expect("text").is_empty(), status == 304);
        }
    }
}
