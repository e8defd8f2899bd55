//! What the routes and the terminal answer, and what they refuse.

use heatstrip::viewers::{epoch::Rotation, salt::SaltSource};
use serde_json::{Value, json};

use super::{Said, day, watch};
use crate::support::{App, Settings, heatstrip};

fn said(video: &'static str, region: &'static str, on: &str, secs: (u32, u32), viewer: u32) -> Said {
    Said { video, region, day: day(on), start_sec: secs.0, end_sec: secs.1, viewer }
}

/// Ten viewers: all see the intro, the first six the middle, the first three the ending.
async fn film(settings: Settings) -> App {
    let app = App::start(settings).await;
    let mut beats = Vec::new();
    for viewer in 0..10 {
        let region = if viewer % 2 == 0 { "JP" } else { "KR" };
        beats.push(said("film", region, "2026-11-21", (0, 29), viewer));
        if viewer < 6 {
            beats.push(said("film", region, "2026-11-21", (300, 329), viewer));
        }
        if viewer < 3 {
            beats.push(said("film", "US", "2026-11-20", (540, 599), viewer));
        }
    }
    beats.push(said("short", "JP", "2026-11-21", (0, 9), 0));
    beats.push(said("short", "JP", "2026-11-21", (0, 9), 77));
    watch(&app, &beats).await;
    app
}

fn monthly() -> Settings {
    Settings { salts: SaltSource::Made(Rotation::Monthly), ..Settings::default() }
}

#[tokio::test]
async fn who_saw_the_intro_but_not_the_ending() {
    let app = film(monthly()).await;
    let answer = app.json("/v1/videos/film/audience?saw=0-30&missed=540-600").await;
    assert_eq!(
        answer,
        json!({
            "video_id": "film", "regions": ["GLOBAL"], "from": "2026-11-20", "to": "2026-11-21", "scope": "viewers",
            "viewers": 7, "low": 7, "high": 7, "of": 10, "share": 0.7, "share_low": 0.7, "share_high": 0.7,
            "confidence": 0.95, "exact": true, "sampled": 10, "generated_at": "2026-11-21T10:00:00Z"
        })
    );
    for (asked, viewers, of) in [
        ("", 10, 10),
        ("saw=29-40&saw=329-400", 6, 10),
        ("saw=30-40", 0, 10),
        ("saw_most=0-32", 10, 10),
        ("saw_most=0-33", 0, 10),
        ("missed=300-329&missed=540-599", 4, 10),
        ("saw=0-30&region=JP", 5, 5),
        ("saw=540-600&region=us", 3, 3),
        // In another region they saw the intro: a viewer is one person in the union only.
        ("saw=0-30&region=US", 0, 3),
        ("saw=540-600&from=2026-11-21", 0, 10),
        ("saw=540-600&to=2026-11-20", 3, 3),
        ("saw=540-600&from=2020-01-01&to=2030-01-01", 3, 10),
    ] {
        let answer = app.json(&format!("/v1/videos/film/audience?{asked}")).await;
        assert_eq!((&answer["viewers"], &answer["of"]), (&json!(viewers), &json!(of)), "{asked}: {answer}");
    }
}

/// A person is another one in another epoch, and the answer says so.
#[tokio::test]
async fn epochs_are_added() {
    let app = film(Settings::default()).await;
    let answer = app.json("/v1/videos/film/audience?saw=0-30&missed=540-600").await;
    assert_eq!(
        (&answer["scope"], &answer["viewers"], &answer["of"]),
        (&json!("viewer-days"), &json!(10), &json!(13))
    );
}

#[tokio::test]
async fn how_many_watched_how_many() {
    let app = film(monthly()).await;
    let answer = app.json("/v1/audience/overlap?video_id=film&video_id=short&video_id=unheard").await;
    let watched = answer["watched"].as_array().expect("a list");
    let counts: Vec<(&Value, &Value)> = watched.iter().map(|w| (&w["videos"], &w["viewers"])).collect();
    assert_eq!(counts, [(&json!(1), &json!(10)), (&json!(2), &json!(1)), (&json!(3), &json!(0))]);
    assert_eq!((&answer["sampled"], &answer["exact"]), (&json!(11), &json!(true)));
    assert_eq!(watched[0]["of"], 11);
    let here = app.json("/v1/audience/overlap?video_id=film&video_id=short&region=KR").await;
    assert_eq!((&here["watched"][0]["viewers"], &here["watched"][1]["viewers"]), (&json!(5), &json!(0)));
}

#[tokio::test]
async fn nobody_is_nobody() {
    let app = film(monthly()).await;
    let answer = app.json("/v1/videos/unheard/audience?saw=0-30").await;
    assert_eq!((&answer["viewers"], &answer["of"], &answer["share"]), (&json!(0), &json!(0), &json!(0.0)));
    assert_eq!((&answer["from"], &answer["exact"]), (&Value::Null, &json!(true)));
}

#[tokio::test]
async fn an_estimate_comes_with_an_interval_or_not_at_all() {
    let app = App::start(Settings::default()).await;
    app.store.set_sample_size(64).await.expect("a size");
    let crowd: Vec<Said> = (0..3_000)
        .flat_map(|viewer| {
            let end = if viewer % 4 == 0 { 600 } else { 300 };
            (0..end / 100).map(move |part| {
                said(
                    "busy",
                    if viewer < 300 { "US" } else { "JP" },
                    "2026-11-21",
                    (part * 100, part * 100 + 99),
                    viewer,
                )
            })
        })
        .collect();
    watch(&app, &crowd).await;
    let answer = app.json("/v1/videos/busy/audience?saw=0-99&missed=500-599").await;
    assert_eq!(answer["exact"], false);
    assert!(answer["sampled"].as_u64().expect("a number") >= 64, "{answer}");
    let number = |name: &str| answer[name].as_f64().expect("a number");
    assert!(number("low") <= number("viewers") && number("viewers") <= number("high"), "{answer}");
    assert!(number("share_low") < number("share") && number("share") < number("share_high"), "{answer}");
    // The truth is 2,250 of 3,000; four times the interval's half is out of all proportion.
    assert!((number("viewers") - 2_250.0).abs() < 2.0 * (number("high") - number("low")), "{answer}");

    let few = app.json("/v1/videos/busy/audience?saw=0-99&region=US").await;
    assert_eq!(few["refused"], "too few sampled viewers", "{few}");
    for name in ["viewers", "low", "high", "of", "share", "share_low", "share_high"] {
        assert_eq!(few[name], Value::Null, "{name}");
    }
    assert_eq!(few["sampled"].as_u64().map(|sampled| sampled < 30), Some(true));
}

#[tokio::test]
async fn formats_and_caching() {
    let app = film(monthly()).await;
    let csv = app.get("/v1/videos/film/audience?saw=0-30&missed=540-600&format=csv").await;
    assert!(csv.headers()["content-type"].to_str().expect("text").starts_with("text/csv"));
    assert!(csv.text().await.expect("text").ends_with("\n7,7,7,10,0.7,0.7,0.7,0.95,true,10,viewers\n"));
    let csv = app.get("/v1/audience/overlap?video_id=film&video_id=short&format=csv").await;
    assert_eq!(csv.text().await.expect("text").lines().count(), 3);

    let path = "/v1/videos/film/audience?saw=0-30";
    let first = app.get(path).await;
    let tag = first.headers()["etag"].clone();
    assert!(first.headers()["cache-control"].to_str().expect("text").starts_with("public, max-age="));
    let again = app.client.get(format!("{}{path}", app.url)).header("if-none-match", &tag).send().await;
    assert_eq!(again.expect("an answer").status(), 304);
    watch(&app, &[said("film", "JP", "2026-11-21", (0, 9), 1_000)]).await;
    assert_ne!(app.get(path).await.headers()["etag"], tag, "somebody more has seen it");
}

#[tokio::test]
async fn what_cannot_be_asked_is_refused() {
    let app = film(monthly()).await;
    let sql = app.database.connect().await;
    sql.execute("UPDATE sample_settings SET kept_from = '2026-11-20'", &[]).await.expect("a first day");
    let eleven = (0..11).map(|n| format!("saw={n}-{n}")).collect::<Vec<_>>().join("&");
    let many = (0..11).map(|n| format!("video_id=v{n}")).collect::<Vec<_>>().join("&");
    for (path, status, says) in [
        ("videos/film/audience?from=2026-11-19", 422, "begins on 2026-11-20"),
        ("videos/film/audience?to=2026-11-19", 422, "begins on 2026-11-20"),
        (&*format!("videos/film/audience?{eleven}"), 422, "at most 10 conditions, this one has 11"),
        ("audience/overlap?video_id=film&video_id=a&to=2026-11-19", 422, "begins on 2026-11-20"),
        ("audience/overlap?video_id=film", 422, "2 to 10 different videos"),
        ("audience/overlap?video_id=film&video_id=film", 422, "2 to 10 different videos"),
        (&*format!("audience/overlap?{many}"), 422, "2 to 10 different videos"),
        ("audience/overlap?video_id=film&video_id=", 400, "video_id must be"),
        ("videos/film/audience?saw=30-0", 400, "saw must be a range of seconds like 0-30"),
        ("videos/film/audience?missed=x", 400, "missed must be a range"),
        ("videos/film/audience?saw_most=0-86400", 400, "saw_most must be a range"),
        ("videos/film/audience?region=j", 400, "region must be"),
        ("videos/film/audience?from=2026-11-21&from=2026-11-21", 400, "from is given more than once"),
        ("videos/film/audience?from=2026-11-22&to=2026-11-21", 400, "from is later than to"),
        ("videos/film/audience?format=xml", 400, "format must be one of json, csv"),
    ] {
        let response = app.get(&format!("/v1/{path}")).await;
        assert_eq!(response.status(), status, "{path}");
        let problem: Value = response.json().await.expect("JSON");
        assert!(problem["detail"].as_str().expect("text").contains(says), "{path}: {problem}");
    }
    assert_eq!(app.get("/v1/videos/film/audience?from=2026-11-20").await.status(), 200);
    assert_eq!(app.get("/v1/videos/film/audience").await.status(), 200);
}

#[tokio::test]
async fn the_terminal_asks_too() {
    let app = film(monthly()).await;
    let ask = async |arguments: &[&str]| {
        let arguments = [&["ask", "film"], arguments].concat();
        let output =
            heatstrip(&arguments).env("DATABASE_URL", &app.database.url).output().await.expect("the binary");
        (
            output.status.code(),
            String::from_utf8(output.stdout).expect("text"),
            String::from_utf8(output.stderr).expect("text"),
        )
    };
    let (code, text, _) = ask(&["--saw", "0-30", "--missed", "540-600"]).await;
    assert_eq!(code, Some(0));
    assert!(
        text.contains("saw 0:00-0:30, missed 9:00-10:00") && text.contains("7 of 10 viewers (70.0 %)"),
        "{text}"
    );
    let (_, json, _) = ask(&["--saw", "0-30", "--format", "json"]).await;
    assert_eq!(serde_json::from_str::<Value>(&json).expect("JSON")["viewers"], 10);
    assert_eq!(ask(&["--saw", "30-0"]).await.0, Some(2), "usage");
    let eleven: Vec<&str> = std::iter::repeat_n(["--saw", "0-1"], 11).flatten().collect();
    let (code, _, error) = ask(&eleven).await;
    assert!(code == Some(1) && error.contains("at most 10 conditions"), "{error}");
}
