//! Trending: what the fold writes and the list says, against sums made by hand.

use std::collections::{BTreeMap, HashMap, hash_map::Entry};

use chrono::{DateTime, TimeDelta, Utc};
use heatstrip::work::nightly::{self, Keep};
use rand::{RngExt, seq::SliceRandom};
use serde_json::{Value, json};
use tokio_postgres::Client;

use crate::support::{App, Settings, chance};

fn now() -> DateTime<Utc> {
    "2026-11-21T10:00:00Z".parse().expect("an instant")
}

fn view(video: &str, viewer: &str, at: DateTime<Utc>) -> Value {
    json!({"video_id": video, "viewer_id": viewer, "region": "JP", "at": at})
}

/// Sends views, all of which are good, and folds them.
async fn send(app: &App, views: &[Value]) {
    let request = app.client.post(format!("{}/v1/views", app.url)).body(json!(views).to_string());
    let answer: Value = request.send().await.expect("an answer").json().await.expect("JSON");
    assert_eq!(answer["rejected"], json!([]), "{answer}");
    app.fold().await;
}

/// So many new viewers of a video, one a minute up to now.
async fn crowd(app: &App, video: &str, people: i64, up_to: DateTime<Utc>) {
    let views: Vec<Value> = (0..people)
        .map(|n| view(video, &format!("{video} {up_to} {n}"), up_to - TimeDelta::minutes(n % 60)))
        .collect();
    send(app, &views).await;
}

async fn listed(app: &App, query: &str) -> Vec<(String, f64)> {
    let answer = app.json(&format!("/v1/trending?{query}")).await;
    let entry = |video: &Value| {
        (video["video_id"].as_str().expect("an id").to_owned(), video["score"].as_f64().expect("a score"))
    };
    answer["videos"].as_array().expect("videos").iter().map(entry).collect()
}

async fn ids(app: &App, query: &str) -> Vec<String> {
    listed(app, query).await.into_iter().map(|(id, _)| id).collect()
}

async fn rows(sql: &Client) -> i64 {
    sql.query_one("SELECT count(*) FROM trending", &[]).await.expect("a count").get(0)
}

/// A model of one video in a region: when its new viewers came.
fn masses(times: &[DateTime<Utc>], at: DateTime<Utc>) -> (f64, f64, f64) {
    let ago = |time: &DateTime<Utc>| (at - *time).as_seconds_f64() / 3600.0;
    let mass = |half_life: f64| times.iter().map(|time| (-ago(time) / half_life).exp2()).sum();
    (mass(6.0), mass(72.0), times.iter().map(ago).fold(0.0, f64::max))
}

fn window(half_life: f64, life: f64) -> f64 {
    half_life * (1.0 - (-life / half_life).exp2()) / std::f64::consts::LN_2
}

/// Random viewers come at random times to random videos, some of them again, and are heard of in any order. Every list
/// is what the times alone give.
#[tokio::test]
async fn lists_are_what_the_times_of_new_viewers_give() {
    let app = App::start(Settings::default()).await;
    let mut chance = chance();
    let mut views: Vec<(String, String, &str, DateTime<Utc>)> = Vec::new();
    for video in 0..14 {
        let (people, span) = (chance.random_range(3..120), chance.random_range(1..47 * 3600));
        for _ in 0..people {
            let viewer = format!("viewer {}", chance.random_range(0..300));
            let region = ["JP", "KR"][chance.random_range(0..2)];
            let at = now() - TimeDelta::seconds(chance.random_range(0..=span));
            views.push((format!("video {video:02}"), viewer, region, at));
        }
    }
    views.shuffle(&mut chance);
    // Who came first, in the order of the fold, is new; views within a request and a step keep their order.
    let mut new: HashMap<(&str, &str), (&str, DateTime<Utc>)> = HashMap::new();
    for (video, viewer, region, at) in &views {
        if let Entry::Vacant(entry) = new.entry((video, viewer)) {
            entry.insert((region, *at));
        }
    }
    let mut rest = views.as_slice();
    while !rest.is_empty() {
        let (batch, behind) = rest.split_at(chance.random_range(1..=rest.len().min(400)));
        let batch: Vec<Value> = batch
            .iter()
            .map(|(video, viewer, region, at)| {
                json!({"video_id": video, "viewer_id": viewer, "region": region, "at": at})
            })
            .collect();
        send(&app, &batch).await;
        rest = behind;
    }

    for later in [0, 5, 30] {
        app.clock.set(now() + TimeDelta::hours(later));
        let at = app.clock.now();
        for region in ["GLOBAL", "JP", "KR"] {
            let mut times: BTreeMap<&str, Vec<DateTime<Utc>>> = BTreeMap::new();
            for ((video, _), (of, came)) in &new {
                if region == "GLOBAL" || region == *of {
                    times.entry(video).or_default().push(*came);
                }
            }
            for by in ["rise", "hot", "top"] {
                let candidates: Vec<(&str, f64, f64, f64)> = times
                    .iter()
                    .map(|(video, times)| {
                        let (recent, baseline, life) = masses(times, at);
                        (*video, recent, baseline, life)
                    })
                    .filter(|(_, recent, baseline, _)| (if by == "top" { baseline } else { recent }) >= &5.0)
                    .collect();
                let mut rates: Vec<f64> = candidates
                    .iter()
                    .map(|(_, _, baseline, life)| baseline / window(72.0, life.max(1.0)))
                    .collect();
                rates.sort_by(f64::total_cmp);
                let usual = rates.get(rates.len() / 2).copied().unwrap_or(0.0);
                let mut expected: Vec<(f64, &str, [f64; 3])> = candidates
                    .into_iter()
                    .map(|(video, recent, baseline, life)| {
                        let expected =
                            window(6.0, life) * (baseline + usual * 24.0) / (window(72.0, life) + 24.0);
                        let ratio = (recent + 10.0) / (expected + 10.0);
                        let score = match by {
                            "rise" => ratio.log2(),
                            "hot" => recent,
                            _ => baseline,
                        };
                        (score, video, [recent, expected, ratio])
                    })
                    .collect();
                expected.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(b.1)));

                let answer = app.json(&format!("/v1/trending?by={by}&region={region}&limit=100")).await;
                let found = answer["videos"].as_array().expect("videos");
                assert_eq!(found.len(), expected.len(), "{by} {region} +{later} h");
                for (found, (score, video, [recent, expected, ratio])) in found.iter().zip(&expected) {
                    assert_eq!(found["video_id"], *video, "{by} {region} +{later} h {answer}");
                    for (name, value) in
                        [("score", score), ("recent", recent), ("expected", expected), ("ratio", ratio)]
                    {
                        let said = found[name].as_f64().expect("a number");
                        assert!(
                            (said - value).abs() < 0.0051,
                            "{by} {region} {video} {name}: {said} {value}"
                        );
                    }
                }
            }
        }
    }
}

#[tokio::test]
async fn the_answer_explains_itself() {
    let app = App::start(Settings::default()).await;
    crowd(&app, "v", 20, now()).await;
    let answer = app.json("/v1/trending").await;
    assert_eq!(
        (&answer["by"], &answer["region"], &answer["floor"], &answer["generated_at"]),
        (&json!("rise"), &json!("GLOBAL"), &json!(5.0), &json!("2026-11-21T10:00:00Z"))
    );
    assert_eq!(
        (&answer["recent_half_life_hours"], &answer["baseline_half_life_hours"]),
        (&json!(6.0), &json!(72.0))
    );
    let entry = answer["videos"][0].as_object().expect("an entry");
    let names: Vec<&str> = entry.keys().map(String::as_str).collect();
    assert_eq!(names, ["expected", "ratio", "recent", "score", "video_id"]);
    for (query, says) in [
        ("by=luck", "by must be one of rise, hot, top"),
        ("region=J", "region must be GLOBAL or one region"),
        ("region=JP,KR", "region must be GLOBAL or one region"),
        ("limit=0", "limit must be"),
        ("limit=101", "limit must be"),
    ] {
        let response = app.get(&format!("/v1/trending?{query}")).await;
        assert_eq!(response.status(), 400, "{query}");
        let problem: Value = response.json().await.expect("JSON");
        assert!(problem["detail"].as_str().expect("a text").contains(says), "{query}: {problem}");
    }
    assert_eq!(ids(&app, "region=global").await, ["v"]);
    assert_eq!(ids(&app, "region=jp&limit=1").await, ["v"]);
    assert_eq!(ids(&app, "region=KR").await, [""; 0]);
}

/// Repeats move nothing: only who was not there counts.
#[tokio::test]
async fn the_same_people_do_not_make_a_trend() {
    let app = App::start(Settings::default()).await;
    crowd(&app, "v", 10, now()).await;
    let before = listed(&app, "by=hot").await;
    for _ in 0..3 {
        crowd(&app, "v", 10, now()).await;
    }
    assert_eq!(listed(&app, "by=hot").await, before);
    // And nine are not enough to be worth a word, once they are a few hours old.
    app.clock.set(now() + TimeDelta::hours(7));
    assert_eq!(ids(&app, "by=hot").await, [""; 0]);
    assert_eq!(ids(&app, "by=top").await, ["v"]);
}

/// Whatever times players claim, nobody's viewers count more than those who come now.
#[tokio::test]
async fn a_forged_time_leads_nothing() {
    let app = App::start(Settings::default()).await;
    let ahead = now() + TimeDelta::minutes(5);
    let forged: Vec<Value> = (0..20).map(|n| view("ahead", &format!("a{n}"), ahead)).collect();
    let honest: Vec<Value> = (0..21).map(|n| view("honest", &format!("h{n}"), now())).collect();
    let mut old: Vec<Value> = (0..20).map(|n| view("old", &format!("o{n}"), now())).collect();
    old.push(view("old", "first", now() - TimeDelta::hours(48)));
    for views in [forged, honest, old] {
        send(&app, &views).await;
    }
    for by in ["rise", "hot", "top"] {
        let found = listed(&app, &format!("by={by}")).await;
        assert_eq!(found[0].0, "honest", "{by} {found:?}");
        assert_eq!(found.len(), 3);
    }
    // As long as it is said to be now, and no longer.
    let hot = |found: Vec<(String, f64)>| found.into_iter().find(|(id, _)| id == "ahead").expect("listed").1;
    assert_eq!(hot(listed(&app, "by=hot").await), 20.0);
    app.clock.set(now() + TimeDelta::hours(6));
    assert_eq!(hot(listed(&app, "by=hot").await), 10.0);
}

#[tokio::test]
async fn no_channel_takes_the_list() {
    let app = App::start(Settings::default()).await;
    for n in 0..9 {
        crowd(&app, &format!("v{n}"), 40 - n, now()).await;
        let channel = if n < 6 { json!({"channel": "loud"}) } else { json!({"title": "alone"}) };
        let put = app.client.put(format!("{}/v1/videos/v{n}", app.url)).body(channel.to_string());
        assert_eq!(put.send().await.expect("an answer").status(), 200);
    }
    assert_eq!(ids(&app, "by=hot").await, ["v0", "v1", "v2", "v6", "v7", "v8"], "three of a channel");
    assert_eq!(ids(&app, "by=hot&limit=4").await, ["v0", "v1", "v2", "v6"]);
    assert_eq!(ids(&app, "by=hot&limit=2").await, ["v0", "v1"]);
}

/// The night takes out what has faded, in every region, and nothing that could still be listed.
#[tokio::test]
async fn what_has_faded_goes() {
    let app = App::start(Settings::default()).await;
    let sql = app.database.connect().await;
    crowd(&app, "few", 2, now()).await;
    crowd(&app, "many", 60, now()).await;
    assert_eq!(rows(&sql).await, 4);
    let night = async |hours: i64| {
        app.clock.set(now() + TimeDelta::hours(hours));
        let through = app.clock.today() - TimeDelta::days(1);
        nightly::run(&app.store, &app.clock, through, Keep::default(), |_| ()).await.expect("a night");
        rows(&sql).await
    };
    // Two viewers are a recent mass of 0.01 after 46 h and a baseline of 1 after 72 h, sixty after 76 h and 425 h.
    assert_eq!(night(40).await, 4);
    assert_eq!(night(60).await, 4, "a baseline that might be listed");
    assert_eq!(night(100).await, 2);
    assert_eq!(ids(&app, "by=top").await, ["many"]);
    assert_eq!(ids(&app, "by=hot").await, [""; 0]);
    assert_eq!(night(470).await, 0);
}

/// Half-lives are those of the database: a change begins anew, and the same again changes nothing.
#[tokio::test]
async fn other_half_lives_begin_anew() {
    let app = App::start(Settings::default()).await;
    crowd(&app, "v", 20, now()).await;
    assert!(!app.store.set_half_lives(Some(6), Some(72)).await.expect("set"));
    assert_eq!(ids(&app, "by=hot").await, ["v"]);
    assert!(!app.store.set_half_lives(None, None).await.expect("set"));
    assert!(app.store.set_half_lives(Some(1), None).await.expect("set"));
    assert_eq!(ids(&app, "by=hot").await, [""; 0]);
    crowd(&app, "w", 20, now()).await;
    let before = listed(&app, "by=hot").await[0].1;
    app.clock.set(now() + TimeDelta::hours(1));
    let after = listed(&app, "by=hot").await[0].1;
    assert!((before / after - 2.0).abs() < 0.01, "{before} {after}");
    assert_eq!(app.json("/v1/trending").await["recent_half_life_hours"], 1.0);
}

/// However many videos there are, a list is a stretch of an index.
#[tokio::test]
async fn a_list_is_read_from_its_index() {
    let app = App::start(Settings::default()).await;
    let sql = app.database.connect().await;
    sql.batch_execute(
        "INSERT INTO trending (video_id, region, recent, baseline, at, born, recent_key, baseline_key)
         SELECT 'v' || n, r, 1, 1, '2026-11-20', '2026-11-19', 300000 + n % 50000, 20000 + n % 9000
         FROM generate_series(1, 60000) n, unnest(ARRAY['GLOBAL', 'JP']) r;
         ANALYZE trending",
    )
    .await
    .expect("rows");
    for (name, index, key) in
        [("read_hot", "trending_recent", 340_000), ("read_top", "trending_baseline", 28_000)]
    {
        let path = format!("{}/sql/queries/views/{name}.sql", env!("CARGO_MANIFEST_DIR"));
        let statement = std::fs::read_to_string(path).expect("a statement");
        sql.batch_execute(&format!("PREPARE {name} AS {statement}")).await.expect("a statement");
        let asked = format!("EXPLAIN EXECUTE {name} ('GLOBAL', {key}, 2000)");
        let plan: String = sql
            .query(&asked, &[])
            .await
            .expect("a plan")
            .iter()
            .map(|row| row.get::<_, String>(0) + "\n")
            .collect();
        assert!(plan.contains(&format!("Index Scan using {index}")), "{plan}");
        assert!(!plan.contains("Sort") && !plan.contains("Seq Scan") && !plan.contains("Bitmap"), "{plan}");
    }
}
