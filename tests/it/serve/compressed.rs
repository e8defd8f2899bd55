//! Long answers are compressed for whoever takes it.

use std::io::Read;

use reqwest::header;

use crate::support::{App, Settings};

#[tokio::test]
async fn long_answers_are_compressed_for_whoever_takes_it() {
    let app = App::start(Settings { cache_ttl_secs: 300, ..Settings::default() }).await;
    let body = r#"{"video_id":"v","start_sec":0,"end_sec":599,"viewer_id":"a"}"#;
    assert_eq!(app.post(body).await.status(), 202);
    app.fold().await;
    for (path, is_long) in [
        ("/v1/videos/v/heatmap?resolution=1", true),
        ("/v1/videos/v/heatmap?resolution=600", false),
        ("/v1/videos/v/heatmap.svg", true),
        ("/heat-strip.js", true),
        ("/assets/dashboard-0123456789abcdef.css", true),
        ("/docs", false),
        ("/healthz", false),
    ] {
        let plain = app.get(path).await;
        assert!(!plain.headers().contains_key(header::CONTENT_ENCODING), "{path}");
        let etag = plain.headers().get(header::ETAG).cloned();
        let plain = plain.bytes().await.expect("a body");
        let asked =
            || app.client.get(format!("{}{path}", app.url)).header(header::ACCEPT_ENCODING, "gzip, br");
        let packed = asked().send().await.expect("an answer");
        assert_eq!(packed.headers().contains_key(header::CONTENT_ENCODING), is_long, "{path}");
        if !is_long {
            continue;
        }
        assert_eq!(packed.headers()[header::CONTENT_ENCODING], "gzip", "{path}");
        assert_eq!(packed.headers().get(header::ETAG), etag.as_ref(), "{path}");
        assert!(
            packed.headers().get_all(header::VARY).iter().any(|vary| vary == "accept-encoding"),
            "{path}"
        );
        let bytes = packed.bytes().await.expect("a body");
        assert!(bytes.len() * 2 < plain.len(), "{path}: {} of {}", bytes.len(), plain.len());
        let mut unpacked = Vec::new();
        flate2::read::GzDecoder::new(&*bytes).read_to_end(&mut unpacked).expect("gzip");
        assert_eq!(unpacked, plain, "{path}");
        let held =
            asked().header(header::IF_NONE_MATCH, etag.expect("a tag")).send().await.expect("an answer");
        assert_eq!(held.status(), 304, "{path}");
    }
}
