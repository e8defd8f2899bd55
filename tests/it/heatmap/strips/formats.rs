//! A strip in the shapes that other tools read.

use crate::support::{App, Settings};

async fn watched() -> App {
    let app = App::start(Settings { cache_ttl_secs: 300, ..Settings::default() }).await;
    let body = r#"[{"video_id":"v<1>/é","start_sec":0,"end_sec":5,"viewer_id":"a"},
                   {"video_id":"v<1>/é","start_sec":0,"end_sec":1,"viewer_id":"b"}]"#;
    assert_eq!(app.post(body).await.status(), 202);
    app.fold().await;
    app
}

const STRIP: &str = "/v1/videos/v%3C1%3E%2F%C3%A9/heatmap";

#[tokio::test]
async fn each_format_has_its_type_and_its_own_tag() {
    let app = watched().await;
    let mut tags = Vec::new();
    for (path, content_type, begins) in [
        ("", "application/json", r#"{"video_id":"v<1>/é""#),
        ("?format=json", "application/json", r#"{"video_id":"v<1>/é""#),
        ("?format=columns", "application/json", r#"{"video_id":"v<1>/é""#),
        ("?format=csv", "text/csv; charset=utf-8; header=present", "bucket,viewers,"),
        ("?format=ytdlp", "application/json", r#"[{"start_time":0,"end_time":5,"value":1.0}"#),
        ("?format=peertube", "application/json", r#"{"data":[{"second":0,"retentionPercent":100.0}"#),
        // Always by the second.
        ("?format=peertube&resolution=60", "application/json", r#"{"data":[{"second":0,"#),
        (".svg", "image/svg+xml", "<svg "),
    ] {
        let path = format!("{STRIP}{path}");
        let answer = app.get(&path).await;
        assert_eq!(
            (answer.status().as_u16(), &answer.headers()["content-type"]),
            (200, &content_type.parse().expect("a header")),
            "{path}"
        );
        assert!(
            answer.headers()["cache-control"].to_str().expect("text").starts_with("public, max-age="),
            "{path}"
        );
        assert_eq!(answer.headers().contains_key("content-disposition"), path.ends_with("csv"), "{path}");
        assert_eq!(answer.headers().contains_key("content-security-policy"), path.ends_with("svg"), "{path}");
        let tag = answer.headers()["etag"].clone();
        let text = answer.text().await.expect("a text");
        assert!(text.starts_with(begins), "{path}: {text}");
        if path.contains("peertube") {
            assert_eq!(text.matches("second").count(), 6, "{text}");
        }

        let again = app.client.get(format!("{}{path}", app.url)).header("if-none-match", tag.clone());
        let again = again.send().await.expect("an answer");
        assert_eq!((again.status().as_u16(), &again.headers()["etag"]), (304, &tag), "{path}");
        tags.push(tag);
    }
    tags.sort_unstable_by_key(|tag| tag.to_str().expect("text").to_owned());
    tags.dedup();
    assert_eq!(tags.len(), 6, "json twice and peertube twice are the same");
}

#[tokio::test]
async fn an_unknown_format_is_told_the_known_ones() {
    let app = watched().await;
    for unknown in ["", "svg", "JSON", "xml"] {
        let answer = app.get(&format!("{STRIP}?format={unknown}")).await;
        assert_eq!(answer.status(), 400, "{unknown}");
        let problem: serde_json::Value = answer.json().await.expect("a problem");
        assert_eq!(problem["detail"], "format must be one of json, csv, columns, ytdlp, peertube");
    }
}

#[tokio::test]
async fn a_saved_table_has_a_plain_name() {
    let app = watched().await;
    let answer = app.get(&format!("{STRIP}?format=csv")).await;
    assert_eq!(answer.headers()["content-disposition"], r#"attachment; filename="heatmap-v_1___.csv""#);
}
