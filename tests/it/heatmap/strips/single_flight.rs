//! One read for all who wait for it.

use std::{
    collections::BTreeSet,
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use heatstrip::{
    answers::cache::AnswerCache,
    catalogue::durations::Durations,
    clock::Clock,
    heatmap::{http::State, store::strips::StripQuery, strip::formats::Format},
    postgres::Store,
    work::worker,
};
use reqwest::header;
use serde_json::Value;
use tokio_postgres::Client;

use super::{READS, beat, header_of, watch};
use crate::support::{App, Served, Settings, database, until};

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
    let store = Store::connect(&app.database.url, 8).await.expect("a store");
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

    assert_eq!(reads(&other, &id).await, (1, 1));
}

/// The same without sockets, of which a process may not have that many.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_at_once_are_one_read() {
    let app = App::start(Settings::default()).await;
    let sql = app.database.connect().await;
    let id = format!("single flight {}", uuid::Uuid::new_v4());
    watch(&app, &[beat(&id, "a", (0, 9))]).await;
    let database: String =
        sql.query_one("SELECT current_database()::text", &[]).await.expect("a name").get(0);
    sql.batch_execute(&format!("ALTER DATABASE {database} SET log_statement = 'all'"))
        .await
        .expect("a setting");
    let store = Store::connect(&app.database.url, 8).await.expect("a store");
    let answers = AnswerCache::new(&store, Clock::system(), Duration::from_secs(300));
    let durations = Durations::new(store.clone());
    let state = Arc::new(State { store, answers, clock: Clock::system(), durations });
    let query = StripQuery {
        video_id: id.clone(),
        regions: vec!["GLOBAL".into()],
        resolution: 5,
        from: None,
        to: None,
        length_sec: None,
    };
    let asking: Vec<_> = (0..1_000)
        .map(|_| {
            let (state, query) = (Arc::clone(&state), query.clone());
            tokio::spawn(async move {
                state.strip(query, Format::default()).await.expect("an answer").body.clone()
            })
        })
        .collect();
    let bodies: BTreeSet<_> =
        join_all(asking).await.into_iter().map(|body| body.expect("no panic")).collect();
    assert_eq!(bodies.len(), 1);
    assert_eq!(reads(&sql, &id).await, (1, 1));
}

/// How often the days of a video were looked for, and how often its strip was read, as the server's log tells.
async fn reads(sql: &Client, video_id: &str) -> (usize, usize) {
    let data: String = sql.query_one("SHOW data_directory", &[]).await.expect("a path").get(0);
    let log = std::path::Path::new(&data).with_file_name("postgres.log");
    let log = String::from_utf8_lossy(&std::fs::read(log).expect("the server's log")).into_owned();
    // The days are looked for among those that are kept; the strip is read from its first day on.
    let lines = |from: &str| {
        // Since version 16 the server begins the line with a capital.
        let parameters = format!("arameters: $1 = '{video_id}', $2 = '{from}");
        log.lines().filter(|line| line.contains(&parameters)).count()
    };
    (lines("0001-01-01'"), lines("20"))
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

/// Whoever waits for an answer that is being made has not made it: that is a hit.
#[tokio::test]
async fn who_waits_with_others_is_a_hit() {
    let database = database().await;
    // A process of its own, whose metrics no other test counts up.
    let served = Served::api(&database, &["--cache-ttl-secs", "300"]).await;
    let beat = beat("v", "a", (0, 9)).to_string();
    let post = served.client.post(format!("{}/v1/heartbeats", served.url)).body(beat);
    assert_eq!(post.send().await.expect("an answer").status(), 202);
    let store = Store::connect(&database.url, 2).await.expect("a store");
    worker::run_once(&store, &Clock::system()).await.expect("the queue is folded");
    let sql = database.connect().await;
    let other = database.connect().await;
    sql.batch_execute("BEGIN; LOCK TABLE video_heatmap_whole IN ACCESS EXCLUSIVE MODE")
        .await
        .expect("a lock");
    let ask = || served.client.get(format!("{}/v1/videos/v/heatmap", served.url)).send();
    let first = tokio::spawn(ask());
    until("somebody reads", Duration::from_secs(20), async || {
        let waiting = "SELECT count(*) FROM pg_stat_activity
                       WHERE datname = current_database() AND wait_event_type = 'Lock'";
        let waiting: i64 = other.query_one(waiting, &[]).await.expect("the activity").get(0);
        (waiting > 0).then_some(())
    })
    .await;
    let others: Vec<_> = (0..9).map(|_| tokio::spawn(ask())).collect();
    let counted = async |name: &str| -> f64 {
        let metrics = served.client.get(format!("{}/metrics", served.url)).send().await.expect("an answer");
        let metrics = metrics.text().await.expect("a text");
        let line = metrics.lines().find(|line| line.starts_with(name)).expect("the metric");
        line[name.len()..].trim().parse().expect("a number")
    };
    // A connection is counted once it is open, and asks at once.
    until("all of them ask", Duration::from_secs(20), async || {
        (counted("heatstrip_connections").await >= 10.0).then_some(())
    })
    .await;
    sql.batch_execute("COMMIT").await.expect("the lock is released");
    for asked in others.into_iter().chain([first]) {
        let answer = asked.await.expect("no panic").expect("an answer");
        assert_eq!(answer.json::<Value>().await.expect("JSON")["viewers"], 1);
    }
    assert_eq!(counted("heatstrip_strip_cache_misses_total").await, 1.0);
    assert_eq!(counted("heatstrip_strip_cache_hits_total").await, 9.0);
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
