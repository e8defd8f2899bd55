//! Each number of `/metrics` moves with its cause.

mod ops;

use std::{collections::BTreeMap, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::support::{App, Served, Settings, database, until};

/// Reads a scrape: values by series, the labels as they are written.
fn parse(text: &str) -> BTreeMap<String, f64> {
    text.lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| {
            let (series, value) = line.rsplit_once(' ').expect("a series and its value");
            (series.to_owned(), value.parse().expect("a number"))
        })
        .collect()
}

pub async fn scrape(served: &Served) -> BTreeMap<String, f64> {
    let answer = served.client.get(format!("{}/metrics", served.url)).send().await.expect("an answer");
    assert_eq!(answer.status(), 200);
    let content_type = answer.headers()["content-type"].to_str().expect("text");
    assert!(content_type.starts_with("text/plain; version=0.0.4"), "{content_type}");
    parse(&answer.text().await.expect("a text"))
}

async fn post(served: &Served, body: &'static str) -> u16 {
    let request = served.client.post(format!("{}/v1/heartbeats", served.url)).body(body);
    request.send().await.expect("an answer").status().as_u16()
}

/// Asks for the metrics in so many words; returns the status.
async fn asked(url: &str, version: &str, headers: &str) -> String {
    let mut stream = TcpStream::connect(url.trim_start_matches("http://")).await.expect("it listens");
    let request = format!("GET /metrics HTTP/{version}\r\n{headers}connection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.expect("it is taken");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("an answer");
    answer[9..12].to_owned()
}

/// A proxy on the same machine comes from the same address as whoever looks by hand.
#[tokio::test]
async fn metrics_are_not_for_whom_a_neighbour_forwards() {
    let header = Some("x-client".parse().expect("a header"));
    let app = App::start(Settings { client_address_header: header, ..Settings::default() }).await;
    for host in ["127.0.0.1:8080", "localhost:8080", "localhost", "[::1]:8080"] {
        assert_eq!(asked(&app.url, "1.1", &format!("host: {host}\r\n")).await, "200", "{host}");
    }
    for headers in [
        "host: heat.example\r\n",
        // Somebody's name that points to this machine.
        "host: localhost.evil.example:8080\r\n",
        "host: 127.0.0.1:8080\r\nx-real-ip: 203.0.113.9\r\n",
        "host: 127.0.0.1:8080\r\nx-forwarded-for: 203.0.113.9\r\n",
        "host: 127.0.0.1:8080\r\nx-client: 203.0.113.9\r\n",
        "host: 127.0.0.1:8080\r\nvia: 1.1 proxy\r\n",
    ] {
        assert_eq!(asked(&app.url, "1.1", headers).await, "403", "{headers}");
    }
    // A proxy that is told nothing but where to pass it on to.
    assert_eq!(asked(&app.url, "1.0", "host: 127.0.0.1:8080\r\n").await, "403");
}

/// The metrics are those of a process of its own, because those of this process belong to every test that runs in it.
#[tokio::test]
async fn every_number_moves_with_its_cause() {
    let database = database().await;
    let api = Served::api(&database, &[]).await;
    let before = scrape(&api).await;
    assert_eq!(before["heatstrip_heartbeats_accepted_total"], 0.0, "there before its first event");
    assert_eq!(before[r#"heatstrip_heartbeats_rejected_total{reason="too_old"}"#], 0.0);

    let batch = r#"{"batch_id":"0193519e-6ac4-7f2b-9df5-6f2a6e2b8a11","heartbeats":[
        {"video_id":"v","start_sec":0,"end_sec":9,"viewer_id":"a"},
        {"video_id":"v","start_sec":5,"end_sec":9,"viewer_id":"b"},
        {"video_id":"v","start_sec":9,"end_sec":5,"viewer_id":"c"}]}"#;
    assert_eq!(
        [post(&api, batch).await, post(&api, batch).await, post(&api, "nonsense").await],
        [202, 202, 400]
    );
    until("the queue is sampled", Duration::from_secs(10), async || {
        let seen = scrape(&api).await;
        ([seen["heatstrip_queue_heartbeats"], seen["heatstrip_postgres_up"]] == [2.0, 1.0]).then_some(())
    })
    .await;
    for _ in 0..2 {
        let strip = format!("{}/v1/videos/v/heatmap", api.url);
        assert_eq!(api.client.get(strip).send().await.expect("an answer").status(), 200);
    }

    let seen = scrape(&api).await;
    for (series, value) in [
        ("heatstrip_heartbeats_accepted_total", 2.0),
        (r#"heatstrip_heartbeats_rejected_total{reason="end_before_start"}"#, 2.0),
        ("heatstrip_duplicate_batches_total", 1.0),
        (r#"heatstrip_http_requests_total{route="/v1/heartbeats",status="202"}"#, 2.0),
        (r#"heatstrip_http_requests_total{route="/v1/heartbeats",status="400"}"#, 1.0),
        (r#"heatstrip_http_requests_total{route="/v1/videos/{video_id}/heatmap",status="200"}"#, 2.0),
        (r#"heatstrip_http_request_seconds_count{route="/v1/videos/{video_id}/heatmap"}"#, 2.0),
        ("heatstrip_commit_seconds_count", 2.0),
        ("heatstrip_commit_batches_total", 2.0),
        ("heatstrip_commits_failed_total", 0.0),
        ("heatstrip_strip_cache_misses_total", 1.0),
        ("heatstrip_strip_cache_hits_total", 1.0),
        ("heatstrip_strip_making_seconds_count", 1.0),
        ("heatstrip_pool_max_connections", 8.0),
    ] {
        assert_eq!(seen.get(series), Some(&value), "{series}");
    }
    assert!(seen["heatstrip_pool_connections"] >= 1.0 && seen["heatstrip_fold_lag_seconds"] > 0.0);

    let worker = Served::start(&database, &["work", "--metrics-listen", "127.0.0.1:0"], "metrics on").await;
    let folded = until("the worker folds", Duration::from_secs(20), async || {
        Some(scrape(&worker).await).filter(|seen| seen["heatstrip_heartbeats_folded_total"] > 0.0)
    })
    .await;
    assert_eq!(folded["heatstrip_heartbeats_folded_total"], 2.0);
    // There is a run of each heartbeat, and the whole video.
    assert!(folded["heatstrip_rows_written_total"] >= 2.0);
    assert_eq!([folded["heatstrip_step_seconds_count"], folded["heatstrip_steps_failed_total"]], [1.0, 0.0]);
    assert_eq!(folded["heatstrip_heartbeats_set_aside_total"], 0.0);
    until("the queue is empty", Duration::from_secs(10), async || {
        let seen = scrape(&api).await;
        ([seen["heatstrip_queue_heartbeats"], seen["heatstrip_fold_lag_seconds"]] == [0.0, 0.0]).then_some(())
    })
    .await;
}

#[tokio::test]
async fn no_label_holds_what_a_stranger_wrote() {
    let app = App::start(Settings::default()).await;
    let body =
        r#"{"video_id":"video-of-a-stranger","start_sec":0,"end_sec":9,"viewer_id":"viewer-of-a-stranger"}"#;
    assert_eq!(app.post(body).await.status(), 202);
    app.get("/v1/videos/video-of-a-stranger/heatmap").await;
    app.get("/path-of-a-stranger").await;
    app.get("/v1/path-of-a-stranger").await;
    let text = app.get("/metrics").await.text().await.expect("a text");
    assert!(!text.contains("stranger"), "{text}");
    assert!(text.contains(r#"heatstrip_http_requests_total{route="none",status="404"}"#), "{text}");
}
