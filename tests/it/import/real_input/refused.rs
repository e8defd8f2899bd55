//! Some lines are refused, and the summary tells why.

use chrono::{TimeDelta, Utc};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{database, file, heartbeats, packed, run, run_with, text};

#[tokio::test]
async fn what_is_refused_is_listed_by_reason() {
    let good = json!({"video_id": "v", "viewer_id": "a", "start_sec": 0, "end_sec": 9, "at": "2026-01-05T00:00:00Z"});
    let with = |field: &str, value: Value| {
        let mut beat = good.clone();
        beat[field] = value;
        beat.to_string()
    };
    let lines = [
        good.to_string(),
        "{".into(),
        with("viewer_id", Value::Null),
        with("region", json!("global")),
        with("end_sec", json!(600)),
        with("video_id", json!("")),
        with("at", json!("2999-01-01T00:00:00Z")),
        with("at", json!("yesterday")),
        with("viewer_id", Value::Null),
        "[1]".into(),
        // The instant is before the calendar of the tables.
        with("at", json!("0000-01-01T00:00:00Z")),
        with("start_sec", json!(10)),
    ];
    let folder = TempDir::new().expect("a folder");
    let path = file(&folder, "heartbeats", lines.join("\n").as_bytes());
    let database = database().await;
    assert_eq!(
        run(&database, &["replay", text(&path)]).await,
        "1 heartbeats accepted, 11 rejected
         2 malformed, the first is number 2
         2 missing in viewer_id, the first is number 3
         1 empty in video_id, the first is number 6
         1 bad_format in at, the first is number 8
         1 reserved in region, the first is number 4
         1 end_before_start in end_sec, the first is number 12
         1 too_many_seconds in end_sec, the first is number 5
         1 too_old in at, the first is number 11
         1 in_future in at, the first is number 7
"
    );
    assert_eq!(run(&database, &["work", "--once"]).await, "folded 1 heartbeats\n");
    let none_good = file(&folder, "none good", b"{\n");
    let ran = run_with(&database, &["replay", text(&none_good)], b"").await;
    assert_eq!(ran.code, Some(1), "{}", ran.stdout);
    assert!(ran.stdout.contains("1 malformed, the first is number 1"), "{}", ran.stdout);
}

#[tokio::test]
async fn mistakes_are_told_in_one_line() {
    let folder = TempDir::new().expect("a folder");
    let path = file(&folder, "heartbeats", &heartbeats(1));
    let mut cut_short = packed(&heartbeats(12_000));
    cut_short.truncate(cut_short.len() / 2);
    let cut_short = file(&folder, "cut short", &cut_short);
    let tomorrow = (Utc::now().date_naive() + TimeDelta::days(1)).to_string();
    let database = database().await;
    for (arguments, code, says) in [
        (vec!["replay", "/does/not/exist"], 1, "cannot read /does/not/exist"),
        (vec!["replay", text(&path), "--captured-on", &tomorrow], 1, "--captured-on lies in the future"),
        (vec!["replay", text(&cut_short)], 1, "cut short"),
        (vec!["replay", text(&path), "--captured-on", "soon"], 2, "--captured-on"),
        (vec!["replay", text(&path), "--format", "csv"], 2, "--format"),
        (vec!["replay"], 2, "FILE"),
        (vec!["show", "v", "--resolution", "0"], 2, "--resolution"),
        (vec!["show", "v", "--region", "x"], 2, "--region"),
        (vec!["show", ""], 2, "VIDEO"),
    ] {
        let ran = run_with(&database, &arguments, b"").await;
        assert_eq!(ran.code, Some(code), "{arguments:?}: {}", ran.stderr);
        assert!(ran.stderr.to_lowercase().contains(&says.to_lowercase()), "{arguments:?}: {}", ran.stderr);
        if code == 1 {
            assert_eq!(ran.stderr.lines().count(), 1, "{arguments:?}: {}", ran.stderr);
        }
    }
}
