//! The request and the moment add to a heartbeat its region and its day.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

use super::{CANARY, post, send, start};
use crate::support::{App, Settings};

/// Returns the regions in which a video was watched, of those asked about.
async fn regions(app: &App, video_id: &str, candidates: &[&str]) -> Vec<String> {
    let mut watched = Vec::new();
    for region in candidates {
        let strip = app.json(&format!("/v1/videos/{video_id}/heatmap?region={region}")).await;
        if strip["viewers"] != 0 {
            watched.push((*region).to_owned());
        }
    }
    watched
}

#[tokio::test]
async fn the_region_header_names_the_region_of_those_that_name_none() {
    let app = App::start(Settings {
        region_header: Some("cf-ipcountry".parse().expect("a name")),
        ..Settings::default()
    })
    .await;
    // A case is a header, a field, and the region that the heartbeat counts for.
    type Case = (Option<&'static [u8]>, Option<&'static str>, &'static str);
    let cases: &[Case] = &[
        (Some(b"KR"), None, "KR"),
        (Some(b"kr"), None, "KR"),
        (Some(b"us-west-2"), None, "US-WEST-2"),
        (None, None, "ZZ"),
        (Some(b""), None, "ZZ"),
        (Some(b"K"), None, "ZZ"),
        (Some(b"KR JP"), None, "ZZ"),
        (Some(b"GLOBAL"), None, "ZZ"),
        (Some(b"global"), None, "ZZ"),
        (Some(b"ABCDEFGHIJKLMNOPQ"), None, "ZZ"),
        (Some(b"K\xffR"), None, "ZZ"),
        (Some(b"KR"), Some("\"jp\""), "JP"),
        (Some(b"KR"), Some("null"), "KR"),
        (Some(b"nonsense!"), Some("null"), "ZZ"),
    ];
    for (number, (header, region, _)) in cases.iter().enumerate() {
        let region = region.map(|region| format!("\"region\":{region},")).unwrap_or_default();
        let body = format!(
            r#"{{{region}"video_id":"region-{number}","start_sec":0,"end_sec":0,"viewer_id":"{CANARY}"}}"#
        );
        let mut request = app.client.post(format!("{}/v1/heartbeats", app.url)).body(body);
        if let Some(value) = header {
            request = request.header("CF-IPCountry", *value);
        }
        assert_eq!(send(request).await.status, 202, "case {number}");
    }
    app.fold().await;
    for (number, (header, region, expected)) in cases.iter().enumerate() {
        let watched =
            regions(&app, &format!("region-{number}"), &["KR", "JP", "ZZ", "US-WEST-2", "GLOBAL"]).await;
        assert_eq!(watched, [*expected, "GLOBAL"], "{header:?} {region:?}");
    }
}

#[tokio::test]
async fn without_the_setting_nobody_believes_the_header() {
    let app = start().await;
    let body = json!({"video_id": "v", "start_sec": 0, "end_sec": 0, "viewer_id": CANARY}).to_string();
    let request = app.client.post(format!("{}/v1/heartbeats", app.url)).body(body);
    assert_eq!(send(request.header("CF-IPCountry", "KR")).await.status, 202);
    app.fold().await;
    assert_eq!(regions(&app, "v", &["KR", "ZZ"]).await, ["ZZ"]);
}

#[tokio::test]
async fn a_heartbeat_is_captured_on_its_own_utc_day() {
    let app = start().await;
    let cases = [
        ("2026-11-21T10:00:00Z", Some("2026-11-21")),
        ("2026-11-21T00:00:00Z", Some("2026-11-21")),
        ("2026-11-20T23:59:59.999999999Z", Some("2026-11-20")),
        // The day is the one in UTC, wherever the player's clock stands.
        ("2026-11-21T05:00:00+09:00", Some("2026-11-20")),
        ("2026-11-20T23:00:00-05:00", Some("2026-11-21")),
        ("2026-11-21t10:00:00z", Some("2026-11-21")),
        ("2026-11-19T10:00:00Z", Some("2026-11-19")),
        ("2026-11-19T09:59:59.999Z", None),
        ("2026-11-21T10:05:00Z", Some("2026-11-21")),
        ("2026-11-21T10:05:00.001Z", None),
    ];
    for (number, (at, day)) in cases.iter().enumerate() {
        let body = json!({"video_id": format!("at-{number}"), "at": at, "start_sec": 0, "end_sec": 0, "viewer_id": CANARY});
        let answer = post(&app, None, body.to_string()).await;
        assert_eq!(answer.status, if day.is_some() { 202 } else { 422 }, "{at}: {}", answer.json);
    }
    app.fold().await;
    for (number, (at, day)) in cases.iter().enumerate() {
        let strip = app.json(&format!("/v1/videos/at-{number}/heatmap")).await;
        assert_eq!(strip["from"], json!(day), "{at}");
        assert_eq!(strip["to"], json!(day), "{at}");
    }
}

#[tokio::test]
async fn a_clock_ahead_at_midnight_stays_today() {
    let now: DateTime<Utc> = "2026-11-21T23:58:00Z".parse().expect("an instant");
    let app = App::start(Settings { now, ..Settings::default() }).await;
    let at = (now + TimeDelta::minutes(4)).to_rfc3339();
    let body = json!({"video_id": "ahead", "at": at, "start_sec": 0, "end_sec": 0, "viewer_id": CANARY});
    assert_eq!(post(&app, None, body.to_string()).await.status, 202);
    app.fold().await;
    assert_eq!(app.json("/v1/videos/ahead/heatmap").await["to"], "2026-11-21");
}

#[tokio::test]
async fn bounds_are_inclusive() {
    let app = start().await;
    let id = |bytes: usize| "x".repeat(bytes);
    let good = [
        json!({"video_id": id(128), "viewer_id": id(256), "start_sec": 0, "end_sec": 599, "region": "AB"}),
        json!({"video_id": "a/b c?%#", "viewer_id": " ", "start_sec": 86_399, "end_sec": 86_399, "region": "a-9-b-9-c-9-d-9-"}),
        json!({"video_id": " ", "viewer_id": "👩‍💻", "start_sec": 85_800, "end_sec": 86_399, "duration_sec": 86_399}),
        json!({"video_id": "https://example.org/x?y=z", "viewer_id": "\u{202e}", "start_sec": 8.0, "end_sec": 47.0, "duration_sec": 47.0}),
        json!({"video_id": "0", "viewer_id": "0", "start_sec": 0, "end_sec": 0, "duration_sec": 0.5}),
    ];
    let answer = post(&app, None, json!(good).to_string()).await;
    assert_eq!(answer.status, 202, "{}", answer.json);
    assert_eq!(answer.json["accepted"], good.len());
    assert_eq!(app.fold().await as usize, good.len());
    let strip = app.json("/v1/videos/a%2Fb%20c%3F%25%23/heatmap?region=A-9-B-9-C-9-D-9-").await;
    assert_eq!(strip["seconds_played"], 1);
}
