//! `heatstrip import catalogue`, and what `forget` does with an entry.

use std::process::Stdio;

use heatstrip::{
    events::{lane::lane, part::Part},
    work::forget::forget,
};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;

use super::{beat, put, watch};
use crate::support::{App, Settings, heatstrip};

/// Runs an import with this standard input; returns whether it succeeded, and what it said.
async fn import(app: &App, file: &str, input: &str) -> (bool, String, String) {
    let mut command = heatstrip(&["import", "catalogue", file]);
    command.env("DATABASE_URL", &app.database.url);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the binary is there");
    let mut stdin = child.stdin.take().expect("a pipe");
    stdin.write_all(input.as_bytes()).await.expect("it reads");
    drop(stdin);
    let output = child.wait_with_output().await.expect("an end");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    (output.status.success(), text(output.stdout), text(output.stderr))
}

async fn titles(app: &App, videos: &[&str]) -> Vec<Value> {
    let names: Vec<String> = videos.iter().map(|video| format!("video_id={video}")).collect();
    let answer = app.json(&format!("/v1/catalogue?{}", names.join("&"))).await;
    answer["videos"].as_array().expect("videos").iter().map(|video| video["title"].clone()).collect()
}

#[tokio::test]
async fn a_file_is_imported_and_its_bad_lines_are_told() {
    let app = App::start(Settings::default()).await;
    put(&app, "a", r#"{"title":"before","channel":"c"}"#).await;
    let mut lines = vec![
        json!({"video_id": "a", "title": "A"}).to_string(),
        String::new(),
        json!({"video_id": "b", "title": "first"}).to_string(),
        json!({"title": "nobody's"}).to_string(),
        "no object".to_owned(),
        json!({"video_id": "c", "duration_sec": -1}).to_string(),
        json!({"video_id": "b", "title": "last"}).to_string(),
    ];
    // More than one transaction.
    lines.extend(
        (0..2_500).map(|n| json!({"video_id": format!("v{n}"), "title": format!("t{n}")}).to_string()),
    );
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("catalogue.ndjson");
    std::fs::write(&file, lines.join("\n")).expect("a file");
    for _ in 0..2 {
        let (success, said, told) = import(&app, file.to_str().expect("a path"), "").await;
        assert!(success, "{told}");
        assert_eq!(said, "imported 2,503 entries; refused 3 lines\n");
        for line in [
            "line 3: video_id must be 1 to 128 bytes without control characters (missing)",
            "line 4: the line must be an object",
            "line 5: duration_sec must be a number of seconds above 0 and at most 86,400 (out_of_range)",
        ] {
            assert!(told.contains(line), "{told}");
        }
        let expected = [json!("A"), json!("last"), Value::Null, json!("t2499")];
        assert_eq!(titles(&app, &["a", "b", "c", "v2499"]).await, expected);
    }
    assert_eq!(app.json("/v1/videos/a").await["channel"], Value::Null, "a line is the whole entry");
}

#[tokio::test]
async fn standard_input_is_read_and_too_many_bad_lines_are_counted() {
    let app = App::start(Settings::default()).await;
    let (success, said, _) = import(&app, "-", "{\"video_id\":\"a\",\"title\":\"A\"}\n").await;
    assert!(success);
    assert_eq!(said, "imported 1 entries; refused 0 lines\n");
    assert_eq!(titles(&app, &["a"]).await, [json!("A")]);
    let (success, said, told) = import(&app, "-", &"{}\n".repeat(30)).await;
    assert!(!success, "nothing was good");
    assert_eq!(said, "imported 0 entries; refused 30 lines\n");
    assert_eq!(told.matches("video_id must be").count(), 20, "{told}");
    assert!(told.contains("and 10 lines more"), "{told}");
}

/// An entry belongs to no day: it goes with all of the video and stays when a day of it goes.
#[tokio::test]
async fn forgetting_a_video_removes_its_entry() {
    let app = App::start(Settings::default()).await;
    put(&app, "v", r#"{"title":"t"}"#).await;
    put(&app, "w", r#"{"title":"w"}"#).await;
    watch(&app, &[beat("v", "a", (0, 9))]).await;
    let lane = lane("v", app.store.lanes());
    let day = Some("2026-11-21".parse().expect("a day"));
    assert!(!forget(&app.store, "v", lane, &Part::of_day(day)).await.expect("forgotten").entry);
    assert_eq!(titles(&app, &["v", "w"]).await, [json!("t"), json!("w")]);
    assert!(forget(&app.store, "v", lane, &Part::default()).await.expect("forgotten").entry);
    assert_eq!(titles(&app, &["v", "w"]).await, [Value::Null, json!("w")]);
    assert!(
        !forget(&app.store, "v", lane, &Part::default()).await.expect("forgotten").entry,
        "there is none any more"
    );
}

/// A title stands above the id in the terminal too.
#[tokio::test]
async fn show_draws_under_the_title_and_up_to_the_end() {
    let app = App::start(Settings::default()).await;
    watch(&app, &[beat("v", "a", (0, 399))]).await;
    put(&app, "v", r#"{"title":"How sketches count","duration_sec":180}"#).await;
    let mut command = heatstrip(&["show", "v"]);
    let output = command.env("DATABASE_URL", &app.database.url).output().await.expect("the binary is there");
    let drawn = String::from_utf8(output.stdout).expect("text");
    let lines: Vec<&str> = drawn.lines().collect();
    assert!(lines[0] == "How sketches count" && lines[1].starts_with("v · GLOBAL"), "{drawn}");
    assert!(
        drawn.contains("watched 3 m 00 s") && drawn.contains("2:30") && !drawn.contains("4:00"),
        "{drawn}"
    );
}
