//! The HTTP contract of the reads: fields, parameters, scopes, order and caching.

use std::{collections::BTreeSet, fmt::Write, time::Instant};

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future::join_all;
use heatstrip::{
    salt::{SaltSource, Salts},
    salt_epoch::Rotation,
};
use reqwest::{Response, StatusCode, header};
use serde_json::{Value, json};

use crate::support::{App, Settings};

const NOW: &str = "2026-11-21T10:00:00Z";

fn instant(text: &str) -> DateTime<Utc> {
    text.parse().expect("an instant")
}

fn beat(video: &str, viewer: &str, secs: (u32, u32)) -> Value {
    json!({"video_id": video, "viewer_id": viewer, "region": "JP", "start_sec": secs.0, "end_sec": secs.1})
}

async fn watch(app: &App, beats: &[Value]) {
    let response = app.post(json!(beats).to_string()).await;
    assert_eq!(response.status(), 202);
    let answer: Value = response.json().await.expect("JSON");
    assert_eq!(answer["rejected"], json!([]));
    app.fold().await;
}

/// The names in the order in which they stand in the text.
fn names(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut rest = text;
    while let Some((_, behind)) = rest.split_once('"') {
        let (name, behind) = behind.split_once('"').expect("a closing quote");
        if behind.starts_with(':') {
            names.push(name.to_owned());
        }
        rest = behind;
    }
    names
}

fn header_of(response: &Response, name: header::HeaderName) -> String {
    response
        .headers()
        .get(&name)
        .unwrap_or_else(|| panic!("a header {name}"))
        .to_str()
        .expect("text")
        .to_owned()
}

async fn assert_problem(app: &App, path: &str, says: &str) {
    let response = app.get(path).await;
    assert_eq!(response.status(), 400, "{path}");
    assert_eq!(header_of(&response, header::CONTENT_TYPE), "application/problem+json", "{path}");
    let problem: Value = response.json().await.expect("JSON");
    assert_eq!(problem["status"], 400, "{path}");
    assert_eq!(problem["title"], "Bad Request", "{path}");
    let detail = problem["detail"].as_str().expect("a text");
    assert!(detail.contains(says), "{path}: {detail}");
}

#[tokio::test]
async fn a_strip_has_the_fields_of_the_contract_in_their_order() {
    let app = App::start(Settings::default()).await;
    watch(
        &app,
        &[
            beat("yt_abc123", "a", (12, 14)),
            beat("yt_abc123", "b", (12, 13)),
            beat("yt_abc123", "b", (12, 12)),
            beat("yt_abc123", "c", (3, 4)),
        ],
    )
    .await;
    let response = app.get("/v1/videos/yt_abc123/heatmap?region=JP").await;
    assert_eq!(header_of(&response, header::CONTENT_TYPE), "application/json");
    let text = response.text().await.expect("a body");
    let envelope = [
        "video_id",
        "regions",
        "resolution",
        "from",
        "to",
        "scope",
        "viewers",
        "seconds_played",
        "peak",
        "relative_error",
        "exact",
        "generated_at",
        "buckets",
    ];
    let bucket = ["bucket", "viewers", "seconds_played", "replay", "retention", "reached"];
    let expected: Vec<&str> = envelope.into_iter().chain(bucket).chain(bucket).chain(bucket).collect();
    assert_eq!(names(&text), expected);
    // 6 seconds played of 3 seconds by 2 viewers; a gap; the last bucket ends with the last watched second.
    assert_eq!(
        serde_json::from_str::<Value>(&text).expect("JSON"),
        json!({
            "video_id": "yt_abc123", "regions": ["JP"], "resolution": 5, "from": "2026-11-21", "to": "2026-11-21",
            "scope": "viewers", "viewers": 3, "seconds_played": 8, "peak": 2, "relative_error": 0.0, "exact": true,
            "generated_at": NOW,
            "buckets": [
                {"bucket": 0, "viewers": 1, "seconds_played": 2, "replay": 0.4, "retention": 0.5, "reached": 3},
                {"bucket": 5, "viewers": 0, "seconds_played": 0, "replay": 0.0, "retention": 0.0, "reached": 2},
                {"bucket": 10, "viewers": 2, "seconds_played": 6, "replay": 0.6, "retention": 1.0, "reached": 2},
            ],
        })
    );
    // Ratios are numbers with a point, whole ones too.
    assert!(text.contains(r#""retention":1.0,"#) && text.contains(r#""relative_error":0.0,"#), "{text}");
}

#[tokio::test]
async fn what_nobody_watched_is_an_answer() {
    let app = App::start(Settings::default()).await;
    let nothing = |regions: Value, resolution: u32, from: Value, to: Value| {
        json!({
            "video_id": "nobody", "regions": regions, "resolution": resolution, "from": from, "to": to,
            "scope": "viewers", "viewers": 0, "seconds_played": 0, "peak": 0, "relative_error": 0.0, "exact": true,
            "generated_at": NOW, "buckets": [],
        })
    };
    assert_eq!(
        app.json("/v1/videos/nobody/heatmap").await,
        nothing(json!(["GLOBAL"]), 5, Value::Null, Value::Null)
    );
    assert_eq!(
        app.json("/v1/videos/nobody/heatmap?region=kr,JP&resolution=3600&from=2026-11-01&to=2026-11-30")
            .await,
        nothing(json!(["JP", "KR"]), 3600, json!("2026-11-01"), json!("2026-11-30"))
    );
    // Watched, but not there and not then.
    watch(&app, &[beat("somebody", "a", (0, 9))]).await;
    for query in ["region=KR", "from=2026-01-01&to=2026-01-31", "from=2027-01-01", "to=2020-01-01"] {
        let strip = app.json(&format!("/v1/videos/somebody/heatmap?{query}")).await;
        assert_eq!(strip["buckets"], json!([]), "{query}");
        assert_eq!((&strip["viewers"], &strip["exact"]), (&json!(0), &json!(true)), "{query}");
        assert_eq!(strip["scope"], "viewers", "{query}");
    }
}

#[tokio::test]
async fn bad_parameters_are_problems() {
    let app = App::start(Settings::default()).await;
    let strip = "/v1/videos/v/heatmap";
    for resolution in ["0", "3601", "1.5", "abc", "", "-5", "5s", "99999999999999999999", "%00", "0x5", "+5"]
    {
        assert_problem(&app, &format!("{strip}?resolution={resolution}"), "resolution").await;
    }
    let days = [
        "2026-2-3",
        "2026-02-30",
        "20260203",
        "2026-02-03T00:00:00Z",
        "today",
        "",
        "2026-13-01",
        "%202026-02-03",
        "-4800-01-01",
        "%2B262142-12-31",
        "10000-01-01",
        "-0001-01-01",
        "0000-01-01",
        "infinity",
        "2026-02-03%00",
    ];
    for day in days {
        for end in ["from", "to"] {
            assert_problem(&app, &format!("{strip}?{end}={day}"), end).await;
            assert_problem(&app, &format!("/v1/videos?{end}={day}"), end).await;
        }
    }
    assert_problem(&app, &format!("{strip}?from=2026-11-22&to=2026-11-21"), "from is later than to").await;
    assert_problem(&app, "/v1/videos?from=2026-11-22&to=2026-11-21", "from is later than to").await;
    assert_problem(&app, "/v1/videos?from=2026-11-22", "from is later than to").await;
    for region in [
        "",
        ",",
        "JP,",
        "J",
        "JP,,KR",
        "JP%20",
        "J_P",
        "A2345678901234567",
        "JP;KR",
        "%E6%97%A5",
        "*",
        "GLOBAL,j",
    ] {
        assert_problem(&app, &format!("{strip}?region={region}"), "region").await;
        assert_problem(&app, &format!("/v1/videos?region={region}"), "region").await;
    }
    for limit in ["0", "101", "-1", "1.5", "all", ""] {
        assert_problem(&app, &format!("/v1/videos?limit={limit}"), "limit").await;
    }
    for twice in ["region=JP&region=KR", "resolution=5&resolution=5", "from=2026-11-01&from=2026-11-01"] {
        assert_problem(&app, &format!("{strip}?{twice}"), "duplicate field").await;
    }
}

#[tokio::test]
async fn the_extreme_days_and_resolutions_are_possible() {
    let app = App::start(Settings::default()).await;
    watch(&app, &[beat("v", "a", (0, 599)), beat("v", "a", (86_390, 86_399))]).await;
    let all = app.json("/v1/videos/v/heatmap?from=0001-01-01&to=9999-12-31&resolution=3600").await;
    assert_eq!((&all["from"], &all["to"]), (&json!("0001-01-01"), &json!("9999-12-31")));
    assert_eq!(all["buckets"].as_array().map(Vec::len), Some(24));
    let fine = app.json("/v1/videos/v/heatmap?resolution=1").await;
    assert_eq!(fine["buckets"].as_array().map(Vec::len), Some(86_400));
    assert_eq!(fine["seconds_played"], 610);
    let list = app.json("/v1/videos?from=0001-01-01&to=9999-12-31").await;
    assert_eq!(
        list["videos"][0],
        json!({"video_id": "v", "viewers": 1, "seconds_played": 610, "last_sec": 86_399})
    );
    app.json("/v1/videos?to=0001-01-01").await;
}

#[tokio::test]
async fn video_ids_are_taken_as_they_are() {
    let app = App::start(Settings::default()).await;
    let longest = "v".repeat(128);
    let ids = [
        "uuid://7d4f3c70-1e79-4243-9b7d-166076ce8bfb",
        "https://video.example/a?b=c&d#e",
        "100%",
        "%2F",
        "a b",
        "a+b",
        "ビデオ",
        "heatmap",
        "x/heatmap",
        "a'b\"c\\d",
        "🎬",
        "\u{200b}",
        ";",
        "{video_id}",
        &longest,
    ];
    watch(&app, &ids.map(|id| beat(id, "a", (0, 4)))).await;
    for id in ids {
        let mut encoded = String::new();
        for byte in id.bytes() {
            write!(encoded, "%{byte:02X}").expect("a text takes everything");
        }
        let strip = app.json(&format!("/v1/videos/{encoded}/heatmap")).await;
        assert_eq!((&strip["video_id"], &strip["viewers"]), (&json!(id), &json!(1)));
    }
    let plainly = app.json("/v1/videos/uuid%3A%2F%2F7d4f3c70-1e79-4243-9b7d-166076ce8bfb/heatmap").await;
    assert_eq!(plainly["viewers"], 1);
    let other_case = app.json("/v1/videos/UUID%3A%2F%2F7d4f3c70-1e79-4243-9b7d-166076ce8bfb/heatmap").await;
    assert_eq!(other_case["viewers"], 0);

    let too_long = "v".repeat(129);
    for id in ["%00", "a%00b", "a%0Ab", "%7F", "%C2%85", &too_long, "%E3%83%93".repeat(43).as_str()] {
        assert_problem(&app, &format!("/v1/videos/{id}/heatmap"), "video_id").await;
    }
    assert_problem(&app, "/v1/videos//heatmap", "video_id").await;
    for id in ["%FF", "a%C3", "%ED%A0%80"] {
        assert_problem(&app, &format!("/v1/videos/{id}/heatmap"), "").await;
    }
    for path in ["/v1/videos/a/b/heatmap", "/v1/videos/a", "/v1/videos/a/heatmap/"] {
        let response = app.get(path).await;
        assert_eq!(response.status(), 404, "{path}");
        assert_eq!(header_of(&response, header::CONTENT_TYPE), "application/problem+json", "{path}");
    }
}

#[tokio::test]
async fn regions_are_united() {
    let app = App::start(Settings::default()).await;
    let in_region = |region: &str, viewer: &str| {
        let mut beat = beat("v", viewer, (0, 0));
        beat["region"] = json!(region);
        beat
    };
    watch(&app, &[in_region("jp", "a"), in_region("KR", "a"), in_region("KR", "b"), in_region("US", "c")])
        .await;
    for (region, regions, viewers) in [
        ("jp", vec!["JP"], 1),
        ("kr,JP", vec!["JP", "KR"], 2),
        ("KR,KR,kr", vec!["KR"], 2),
        ("US,JP,KR,XX", vec!["JP", "KR", "US", "XX"], 3),
        ("GLOBAL", vec!["GLOBAL"], 3),
        ("global", vec!["GLOBAL"], 3),
        ("JP,GLOBAL", vec!["GLOBAL"], 3),
        ("GLOBAL,KR", vec!["GLOBAL"], 3),
        ("JP%2CKR", vec!["JP", "KR"], 2),
    ] {
        let strip = app.json(&format!("/v1/videos/v/heatmap?region={region}")).await;
        assert_eq!((&strip["regions"], &strip["viewers"]), (&json!(regions), &json!(viewers)), "{region}");
        let list = app.json(&format!("/v1/videos?region={region}")).await;
        assert_eq!(
            (&list["regions"], &list["videos"][0]["viewers"]),
            (&json!(regions), &json!(viewers)),
            "{region}"
        );
    }
    let strip = app.json("/v1/videos/v/heatmap").await;
    assert_eq!((&strip["regions"], &strip["resolution"]), (&json!(["GLOBAL"]), &json!(5)));
}

#[tokio::test]
async fn scope_tells_what_a_viewer_is() {
    let days =
        ["2026-10-31T23:59:59Z", "2026-11-15T12:00:00Z", "2026-11-16T00:00:00Z", "2026-11-18T10:00:00Z"];
    for (rotation, from, scope, viewers) in [
        (Rotation::Daily, "2026-11-18", "viewers", 1),
        (Rotation::Daily, "2026-11-16", "viewer-days", 2),
        (Rotation::Daily, "2026-10-31", "viewer-days", 4),
        (Rotation::Weekly, "2026-11-16", "viewers", 1),
        (Rotation::Weekly, "2026-11-15", "viewer-weeks", 2),
        (Rotation::Weekly, "2026-10-31", "viewer-weeks", 3),
        (Rotation::Monthly, "2026-11-01", "viewers", 1),
        (Rotation::Monthly, "2026-10-31", "viewer-months", 2),
        (Rotation::Never, "2026-10-31", "viewers", 1),
    ] {
        let app = App::start(Settings {
            now: instant(days[0]),
            salts: SaltSource::Made(rotation),
            ..Settings::default()
        })
        .await;
        for day in days {
            app.clock.set(instant(day));
            watch(&app, &[beat("v", "a", (0, 0))]).await;
        }
        for path in [format!("/v1/videos/v/heatmap?from={from}"), format!("/v1/videos?from={from}")] {
            let answer = app.json(&path).await;
            assert_eq!(
                (&answer["scope"], &answer["to"]),
                (&json!(scope), &json!("2026-11-18")),
                "{rotation} {path}"
            );
            let counted = answer.get("viewers").unwrap_or(&answer["videos"][0]["viewers"]);
            assert_eq!(counted, viewers, "{rotation} {path}");
        }
    }
}

#[tokio::test]
async fn epochs_of_several_kinds_count_viewer_epochs() {
    let app = App::start(Settings::default()).await;
    watch(&app, &[beat("v", "a", (0, 0))]).await;
    app.clock.set(instant("2026-11-22T10:00:00Z"));
    let weekly = Salts::new(app.store.clone(), SaltSource::Made(Rotation::Weekly), app.clock.clone());
    weekly.salt(app.clock.today()).await.expect("a salt");
    watch(&app, &[beat("v", "a", (0, 0))]).await;
    for path in ["/v1/videos/v/heatmap", "/v1/videos"] {
        assert_eq!(app.json(path).await["scope"], "viewer-epochs", "{path}");
    }
}

#[tokio::test]
async fn videos_come_by_viewers_and_then_by_id() {
    let app = App::start(Settings::default()).await;
    let mut beats = vec![beat("many", "a", (0, 9)), beat("many", "b", (5, 14)), beat("many", "c", (0, 0))];
    // Byte order, whatever the server's language.
    for id in ["é", "b", "B", "a b", "_", "10", "9"] {
        beats.push(beat(id, "a", (0, 2)));
        beats.push(beat(id, "b", (7, 7)));
    }
    beats.extend((0..120).map(|n| beat(&format!("few {n:03}"), "a", (0, 0))));
    watch(&app, &beats).await;

    let response = app.get("/v1/videos?limit=8").await;
    assert_eq!(header_of(&response, header::CONTENT_TYPE), "application/json");
    let text = response.text().await.expect("a body");
    let envelope = ["regions", "from", "to", "scope", "relative_error", "exact", "generated_at", "videos"];
    assert_eq!(&names(&text)[..8], envelope);
    assert_eq!(&names(&text)[8..12], ["video_id", "viewers", "seconds_played", "last_sec"]);
    let list: Value = serde_json::from_str(&text).expect("JSON");
    let first = json!({"video_id": "many", "viewers": 3, "seconds_played": 21, "last_sec": 14});
    assert_eq!(list["videos"][0], first);
    let ids = |list: &Value| -> Vec<String> {
        let videos = list["videos"].as_array().expect("videos");
        videos.iter().map(|video| video["video_id"].as_str().expect("an id").to_owned()).collect()
    };
    assert_eq!(ids(&list), ["many", "10", "9", "B", "_", "a b", "b", "é"]);
    assert_eq!(
        (&list["from"], &list["to"], &list["scope"], &list["exact"], &list["relative_error"]),
        (&json!("2026-10-25"), &json!("2026-11-21"), &json!("viewers"), &json!(true), &json!(0.0))
    );
    for (query, length) in [("", 20), ("?limit=1", 1), ("?limit=100", 100), ("?region=KR", 0)] {
        assert_eq!(ids(&app.json(&format!("/v1/videos{query}")).await).len(), length, "{query}");
    }
    assert_eq!(ids(&app.json("/v1/videos?limit=100").await)[99], "few 091");
}

/// The last 28 days, today included.
#[tokio::test]
async fn videos_are_of_the_last_four_weeks() {
    let app = App::start(Settings {
        now: instant("2026-10-24T10:00:00Z"),
        salts: SaltSource::Made(Rotation::Never),
        ..Settings::default()
    })
    .await;
    watch(&app, &[beat("before", "a", (0, 0))]).await;
    app.clock.set(instant("2026-10-25T00:00:00Z"));
    watch(&app, &[beat("first day", "a", (0, 0))]).await;
    app.clock.set(instant("2026-11-21T23:59:59Z"));
    watch(&app, &[beat("last day", "a", (0, 0))]).await;
    let list = app.json("/v1/videos").await;
    assert_eq!((&list["from"], &list["to"]), (&json!("2026-10-25"), &json!("2026-11-21")));
    let ids: BTreeSet<&str> = list["videos"]
        .as_array()
        .expect("videos")
        .iter()
        .filter_map(|video| video["video_id"].as_str())
        .collect();
    assert_eq!(ids, BTreeSet::from(["first day", "last day"]));
    // With an end of its own it is the four weeks up to that.
    let earlier = app.json("/v1/videos?to=2026-10-24").await;
    assert_eq!((&earlier["from"], &earlier["to"]), (&json!("2026-09-27"), &json!("2026-10-24")));
    assert_eq!(earlier["videos"][0]["video_id"], "before");
}

/// Both reads, as one rule serves both.
const READS: [&str; 2] = ["/v1/videos/v/heatmap", "/v1/videos"];

fn max_age(response: &Response) -> u64 {
    let text = header_of(response, header::CACHE_CONTROL);
    let age = text
        .strip_prefix("public, max-age=")
        .and_then(|rest| rest.strip_suffix(", stale-while-revalidate=60"));
    age.and_then(|age| age.parse().ok()).unwrap_or_else(|| panic!("{text}"))
}

#[tokio::test]
async fn an_answer_says_how_long_it_lives() {
    for (ttl, full, empty) in [(300, 290..=300, 3..=5), (2, 0..=2, 0..=2), (0, 0..=0, 0..=0)] {
        let app = App::start(Settings { cache_ttl_secs: ttl, ..Settings::default() }).await;
        for path in ["/v1/videos/nobody/heatmap", "/v1/videos?region=XX"] {
            assert!(empty.contains(&max_age(&app.get(path).await)), "{path} of {ttl} s");
        }
        watch(&app, &[beat("v", "a", (0, 9))]).await;
        for path in READS {
            let first = app.get(path).await;
            assert_eq!(first.status(), 200);
            assert!(full.contains(&max_age(&first)), "{path} of {ttl} s");
        }
    }
}

/// What is left of a cached answer's life, not the whole of it, is what a proxy may keep it.
#[tokio::test]
async fn the_life_of_a_cached_answer_runs_out() {
    let app = App::start(Settings { cache_ttl_secs: 3, ..Settings::default() }).await;
    watch(&app, &[beat("v", "a", (0, 9))]).await;
    let path = "/v1/videos/v/heatmap";
    let started = Instant::now();
    assert_eq!(app.json(path).await["viewers"], 1);
    watch(&app, &[beat("v", "b", (0, 9))]).await;
    let mut ages = Vec::new();
    loop {
        let response = app.get(path).await;
        ages.push(max_age(&response));
        let strip: Value = response.json().await.expect("JSON");
        if strip["viewers"] == 2 {
            break;
        }
        assert!(started.elapsed().as_secs() < 10, "the answer does not expire");
    }
    assert!(started.elapsed().as_secs_f64() >= 2.9, "it was kept for its life");
    let fresh = ages.pop().expect("an answer");
    assert_eq!(fresh, 2, "a new life");
    assert!(ages.is_sorted_by(|a, b| a >= b) && ages.contains(&0), "{ages:?}");
}

#[tokio::test]
async fn a_tag_stands_for_the_answer_without_its_time() {
    let app = App::start(Settings::default()).await;
    watch(&app, &[beat("v", "a", (0, 9))]).await;
    for path in READS {
        let first = app.get(path).await;
        let tag = header_of(&first, header::ETAG);
        assert!(tag.starts_with("W/\"") && tag.ends_with('"') && tag.len() > 10, "{tag}");
        app.clock.set(app.clock.now() + TimeDelta::seconds(90));
        let second = app.get(path).await;
        assert_eq!(header_of(&second, header::ETAG), tag, "{path}");
        assert_ne!(first.text().await.expect("a body"), second.text().await.expect("a body"), "{path}");

        let strong = tag.trim_start_matches("W/").to_owned();
        let ask = |value: &str| {
            app.client.get(format!("{}{path}", app.url)).header(header::IF_NONE_MATCH, value).send()
        };
        for held in [&tag, &strong, &format!("\"x\", {tag}"), &format!("W/\"y\",{strong} ,\"z\""), "*"] {
            let response = ask(held).await.expect("an answer");
            assert_eq!(response.status(), StatusCode::NOT_MODIFIED, "{path} {held}");
            assert_eq!(header_of(&response, header::ETAG), tag, "{path} {held}");
            max_age(&response);
            assert_eq!(response.text().await.expect("a body"), "", "{path} {held}");
        }
        let inner = strong.trim_matches('"');
        for other in ["\"x\"", "", "W/\"\"", inner, &format!("\"{inner}x\""), &tag.to_uppercase()] {
            assert_eq!(ask(other).await.expect("an answer").status(), 200, "{path} {other}");
        }
    }
    let before = header_of(&app.get(READS[0]).await, header::ETAG);
    for differently in ["?resolution=1", "?region=JP", "?to=2026-12-31"] {
        let tag = header_of(&app.get(&format!("{}{differently}", READS[0])).await, header::ETAG);
        assert_ne!(tag, before, "{differently}");
    }
    watch(&app, &[beat("v", "a", (0, 0))]).await;
    assert_ne!(header_of(&app.get(READS[0]).await, header::ETAG), before, "one play more");
}

#[tokio::test]
async fn without_a_life_nothing_is_kept() {
    let app = App::start(Settings::default()).await;
    for viewers in 1..4 {
        watch(&app, &[beat("v", &format!("viewer {viewers}"), (0, 0))]).await;
        assert_eq!(app.json(READS[0]).await["viewers"], viewers);
        assert_eq!(app.json(READS[1]).await["videos"][0]["viewers"], viewers);
    }
}

/// The server logs each statement with its parameters before it runs it, so that the log counts the reads of a video.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_cold_requests_are_one_read() {
    let app = App::start(Settings { cache_ttl_secs: 300, ..Settings::default() }).await;
    let sql = app.database.connect().await;
    let database: String =
        sql.query_one("SELECT current_database()::text", &[]).await.expect("a name").get(0);
    watch(&app, &[beat("v", "a", (0, 9))]).await;
    let logged = format!("ALTER DATABASE {database} SET log_statement = 'all'");
    sql.batch_execute(&logged).await.expect("a setting");
    // A second API on this database, whose sessions all log.
    let store = heatstrip::store::Store::connect(&app.database.url, 8).await.expect("a store");
    let settings = Settings { cache_ttl_secs: 300, ..Settings::default() };
    let database = crate::support::TestDatabase { url: app.database.url.clone() };
    let logging = App::start_on(database, store, settings).await;

    let id = format!("single flight {}", uuid::Uuid::new_v4());
    watch(&logging, &[beat(&id, "a", (0, 9))]).await;
    let path = format!("/v1/videos/{}/heatmap", id.replace(' ', "%20"));
    // The first read waits, so that all requests find it under way.
    sql.batch_execute("BEGIN; LOCK TABLE video_heatmap_whole IN ACCESS EXCLUSIVE MODE")
        .await
        .expect("a lock");
    let requests: Vec<_> = (0..200)
        .map(|_| {
            let request = logging.client.get(format!("{}{path}", logging.url)).send();
            tokio::spawn(async move { request.await.expect("an answer").text().await.expect("a body") })
        })
        .collect();
    let waiting = "SELECT count(*) FROM pg_stat_activity
                   WHERE datname = current_database() AND wait_event_type = 'Lock'";
    let other = app.database.connect().await;
    let started = Instant::now();
    while other.query_one(waiting, &[]).await.expect("the activity").get::<_, i64>(0) == 0 {
        assert!(started.elapsed().as_secs() < 20, "nobody reads");
    }
    for _ in 0..50 {
        assert_eq!(logging.get("/healthz").await.status(), 200);
    }
    sql.batch_execute("COMMIT").await.expect("the lock is released");
    let bodies = join_all(requests).await;
    let bodies: BTreeSet<String> = bodies.into_iter().map(|body| body.expect("no panic")).collect();
    assert_eq!(bodies.len(), 1);
    assert!(bodies.iter().all(|body| body.contains(r#""viewers":1,"#)), "{bodies:?}");

    let data: String = other.query_one("SHOW data_directory", &[]).await.expect("a path").get(0);
    let log = std::path::Path::new(&data).with_file_name("postgres.log");
    let log = String::from_utf8_lossy(&std::fs::read(log).expect("the server's log")).into_owned();
    let reads = |parameters: &str| log.lines().filter(|line| line.contains(parameters)).count();
    // The strip is read from its first day on, the days are looked for among those that are kept.
    let days = format!("parameters: $1 = '{id}', $2 = '0001-01-01'");
    assert_eq!(reads(&days), 1, "looks for its days");
    assert_eq!(reads(&format!("parameters: $1 = '{id}', ")) - 1, 1, "reads of the strip");
}

#[tokio::test]
async fn a_failure_is_not_kept() {
    let app = App::start(Settings { cache_ttl_secs: 300, ..Settings::default() }).await;
    watch(&app, &[beat("v", "a", (0, 9))]).await;
    let sql = app.database.connect().await;
    sql.batch_execute("ALTER TABLE video_heatmap_whole RENAME TO gone").await.expect("renamed");
    for path in READS {
        let many = (0..5).map(|_| app.get(path));
        for response in join_all(many).await {
            assert_eq!(response.status(), 500, "{path}");
            assert_eq!(header_of(&response, header::CACHE_CONTROL), "no-store", "{path}");
            let text = response.text().await.expect("a body");
            assert!(!text.contains("video_heatmap"), "{text}");
        }
    }
    sql.batch_execute("ALTER TABLE gone RENAME TO video_heatmap_whole").await.expect("renamed back");
    assert_eq!(app.json(READS[0]).await["viewers"], 1);
    assert_eq!(app.json(READS[1]).await["videos"][0]["viewers"], 1);
}

/// Who asked first and hung up does not take the answer from those who wait with it.
#[tokio::test]
async fn who_hangs_up_spoils_nothing() {
    let app = App::start(Settings { cache_ttl_secs: 300, ..Settings::default() }).await;
    watch(&app, &[beat("v", "a", (0, 9))]).await;
    let sql = app.database.connect().await;
    let other = app.database.connect().await;
    sql.batch_execute("BEGIN; LOCK TABLE video_heatmap_whole IN ACCESS EXCLUSIVE MODE")
        .await
        .expect("a lock");
    let first = tokio::spawn(app.client.get(format!("{}{}", app.url, READS[0])).send());
    let waiting = "SELECT count(*) FROM pg_stat_activity
                   WHERE datname = current_database() AND wait_event_type = 'Lock'";
    let started = Instant::now();
    while other.query_one(waiting, &[]).await.expect("the activity").get::<_, i64>(0) == 0 {
        assert!(started.elapsed().as_secs() < 20, "nobody reads");
    }
    let second = tokio::spawn(app.client.get(format!("{}{}", app.url, READS[0])).send());
    first.abort();
    sql.batch_execute("COMMIT").await.expect("the lock is released");
    let answer = second.await.expect("no panic").expect("an answer");
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.json::<Value>().await.expect("JSON")["viewers"], 1);
}
