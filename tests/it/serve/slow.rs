//! Clients that are slow or greedy cost others nothing.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use heatstrip::{
    answers::cache::AnswerCache, clock::Clock, heatmap::store::ReadError, http::error::ApiError,
    postgres::StoreError,
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use tokio_postgres::Client;

use crate::support::{App, Served, Settings, database, until};

const HEARTBEAT: &str = r#"{"video_id":"v","start_sec":0,"end_sec":9,"viewer_id":"a"}"#;
/// Things that take milliseconds get this long.
const DEADLINE: Duration = Duration::from_secs(20);

async fn open(url: &str) -> TcpStream {
    TcpStream::connect(url.strip_prefix("http://").expect("an address")).await.expect("a connection")
}

/// Waits until the server closes a connection, and returns how long that took.
async fn closed(stream: &mut TcpStream) -> Duration {
    let started = Instant::now();
    let mut rest = Vec::new();
    // A reset is an end too.
    let _ = timeout(DEADLINE, stream.read_to_end(&mut rest)).await.expect("an end in time");
    started.elapsed()
}

/// 64 of them took all bytes that bodies may take, as long as those were taken for what a head announced.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn announced_bodies_keep_nobody_out() {
    let app = App::start(Settings::default()).await;
    let mut greedy = Vec::new();
    for _ in 0..200 {
        let mut stream = open(&app.url).await;
        let head = "POST /v1/heartbeats HTTP/1.1\r\nhost: h\r\ncontent-length: 1048576\r\n\r\n{";
        stream.write_all(head.as_bytes()).await.expect("the head is taken");
        greedy.push(stream);
    }
    let mut slowest = Duration::ZERO;
    for _ in 0..50 {
        let asked = Instant::now();
        let answer = app.post(HEARTBEAT).await;
        assert_eq!(answer.status(), 202);
        slowest = slowest.max(asked.elapsed());
    }
    // A place in a full budget was waited for for 2 s, and then there was none.
    assert!(slowest < Duration::from_secs(1), "{slowest:?}");
}

/// There was no deadline at all for heads.
#[tokio::test]
async fn a_head_that_trickles_is_given_up() {
    let app = App::start(Settings::default()).await;
    let (mut reader, mut writer) = open(&app.url).await.into_split();
    let started = Instant::now();
    let trickling = tokio::spawn(async move {
        let mut tick = tokio::time::interval(Duration::from_millis(200));
        for byte in b"GET /healthz HTTP/1.1\r\nhost: h\r\nx: ".iter().chain(std::iter::repeat(&b'x')) {
            if writer.write_all(&[*byte]).await.is_err() {
                break;
            }
            tick.tick().await;
        }
    });
    let mut rest = Vec::new();
    let _ = timeout(DEADLINE, reader.read_to_end(&mut rest)).await.expect("an end in time");
    trickling.abort();
    assert!(started.elapsed() > Duration::from_secs(8), "{:?}", started.elapsed());
    assert!(rest.is_empty() || rest.starts_with(b"HTTP/1.1 4"), "{}", String::from_utf8_lossy(&rest));
}

/// Sends the head of a heartbeat and its body, a byte at a time; returns the answer's status, none if it was cut off.
async fn trickle(url: &str) -> Option<String> {
    let (mut reader, mut writer) = open(url).await.into_split();
    let head = format!(
        "POST /v1/heartbeats HTTP/1.1\r\nhost: h\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
        HEARTBEAT.len()
    );
    writer.write_all(head.as_bytes()).await.expect("the head is taken");
    let trickling = tokio::spawn(async move {
        let mut tick = tokio::time::interval(Duration::from_millis(50));
        for byte in HEARTBEAT.as_bytes() {
            tick.tick().await;
            if writer.write_all(&[*byte]).await.is_err() {
                break;
            }
        }
        // Whoever hangs up on its side is given no answer.
        writer
    });
    let mut answer = Vec::new();
    let _ = timeout(DEADLINE, reader.read_to_end(&mut answer)).await.expect("an end in time");
    trickling.abort();
    let answer = String::from_utf8(answer).expect("text");
    answer.get(9..12).map(str::to_owned)
}

/// The bytes of a body that was waited for were taken for those of a head, whose deadline is shorter.
#[tokio::test]
async fn a_body_that_trickles_has_its_own_deadline() {
    // The body takes three seconds.
    let patient =
        App::start(Settings { head_deadline_secs: 1, body_deadline_secs: 600, ..Settings::default() }).await;
    assert_eq!(trickle(&patient.url).await.as_deref(), Some("202"));
    assert_eq!(patient.fold().await, 1);
    let hasty =
        App::start(Settings { head_deadline_secs: 600, body_deadline_secs: 1, ..Settings::default() }).await;
    assert_eq!(trickle(&hasty.url).await.as_deref(), Some("408"));
    assert_eq!(hasty.fold().await, 0);
}

/// Sends the head and the beginning of a body of 1 MiB from an address, and returns what it is answered.
async fn large(url: &str, sender: &str, body: Vec<u8>) -> String {
    let (mut reader, mut writer) = open(url).await.into_split();
    let head = format!(
        "POST /v1/heartbeats HTTP/1.1\r\nhost: h\r\nx-forwarded-for: {sender}\r\ncontent-length: 1048576\r\n\r\n"
    );
    writer.write_all(head.as_bytes()).await.expect("the head is taken");
    // Whoever finds no room is answered before it has sent all.
    let _ = writer.write_all(&body).await;
    let mut status = [0; 12];
    reader.read_exact(&mut status).await.expect("an answer");
    String::from_utf8_lossy(&status).into_owned()
}

async fn behind_a_proxy() -> App {
    let client_address_header = Some("x-forwarded-for".parse().expect("a header"));
    App::start(Settings { client_address_header, ..Settings::default() }).await
}

/// 64 bodies that stopped before their last byte took all the room there is for bodies, for as long as a body may pause.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_sender_does_not_take_the_room_of_all() {
    let app = behind_a_proxy().await;
    let mut slow = tokio::task::JoinSet::new();
    for _ in 0..64 {
        let url = app.url.clone();
        slow.spawn(async move { large(&url, "203.0.113.66", vec![b' '; (1 << 20) - 1]).await });
    }
    // More than was left.
    let body = format!("{HEARTBEAT}{}", " ".repeat(1 << 10));
    let answer = loop {
        if let Some(first) = slow.try_join_next() {
            break first.expect("no panic");
        }
        let post = app.client.post(format!("{}/v1/heartbeats", app.url)).body(body.clone());
        let answer = post.header("x-forwarded-for", "203.0.113.7").send().await.expect("an answer");
        assert_eq!(answer.status(), 202, "another sender has room");
    };
    assert_eq!(answer, "HTTP/1.1 429", "it is told what it did");
}

/// Far more is sent than there is room for in the queue, and what is refused is sent again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn overload_loses_nothing_that_was_acknowledged() {
    // The queue is full as soon as its depth is looked at.
    let app = App::start(Settings { queue_max_heartbeats: 500, ..Settings::default() }).await;
    let (refused, acknowledged) = (AtomicU64::new(0), AtomicU64::new(0));
    let send = async |sender: u32| {
        let mut batch = 0;
        // Until it was too much for somebody.
        while batch < 10 || refused.load(Ordering::Relaxed) == 0 {
            let beats: Vec<Value> = (0..20)
                .map(|beat| {
                    let viewer = format!("{sender}-{batch}-{beat}");
                    json!({"video_id": "v", "viewer_id": viewer, "start_sec": 0, "end_sec": 9})
                })
                .collect();
            let body = json!({"batch_id": uuid::Uuid::now_v7(), "heartbeats": beats}).to_string();
            while app.post(body.clone()).await.status() != 202 {
                refused.fetch_add(1, Ordering::Relaxed);
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            acknowledged.fetch_add(20, Ordering::Relaxed);
            batch += 1;
        }
    };
    let done = tokio_util::sync::CancellationToken::new();
    let sending = async {
        join_all((0..32).map(send)).await;
        done.cancel();
    };
    let folding = async {
        until("it is too much", DEADLINE, async || (refused.load(Ordering::Relaxed) > 0).then_some(())).await;
        let mut folded = 0;
        while !done.is_cancelled() {
            folded += app.fold().await;
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        folded + app.fold().await
    };
    let ((), folded) = tokio::join!(sending, folding);
    let acknowledged = acknowledged.into_inner();
    assert_eq!(folded, acknowledged);
    assert_eq!(app.json("/v1/videos/v/heatmap").await["seconds_played"], 10 * acknowledged);
}

/// Their parts fill a sender's room: one of them has to come to its end, and then the next.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn large_bodies_of_one_sender_do_not_wait_for_each_other() {
    let app = behind_a_proxy().await;
    let body = format!("{HEARTBEAT}{}", " ".repeat((1 << 20) - HEARTBEAT.len())).into_bytes();
    let all = join_all((0..32).map(|_| large(&app.url, "203.0.113.7", body.clone()))).await;
    assert!(all.iter().all(|status| status == "HTTP/1.1 202"), "{all:?}");
}

/// Idle connections took every place; now whoever has waited longest makes room.
#[tokio::test]
async fn who_waits_longest_makes_room() {
    let database = database().await;
    let served = Served::api(&database, &["--max-connections", "16"]).await;
    let mut idle = Vec::new();
    for _ in 0..40 {
        let mut stream = open(&served.url).await;
        // Half a head, a body that does not come, or nothing at all: all of them wait.
        let said = match idle.len() % 3 {
            0 => "GET /healthz HTTP/1.1\r\nhost",
            1 => "POST /v1/heartbeats HTTP/1.1\r\nhost: h\r\ncontent-length: 9\r\n\r\n{",
            _ => "",
        };
        stream.write_all(said.as_bytes()).await.expect("it is taken");
        idle.push(stream);
    }
    for _ in 0..20 {
        let post = served.client.post(format!("{}/v1/heartbeats", served.url)).body(HEARTBEAT);
        assert_eq!(post.send().await.expect("an answer").status(), 202);
    }
    let looks = idle.iter_mut().map(|stream| timeout(Duration::from_secs(5), closed(stream)));
    let gone = join_all(looks).await.into_iter().filter(Result::is_ok).count();
    assert!(gone >= 24, "{gone} of 40, where 16 have room");
}

async fn locked(sql: &Client) {
    sql.batch_execute("BEGIN; LOCK TABLE video_heatmap_whole IN ACCESS EXCLUSIVE MODE")
        .await
        .expect("a lock");
}

async fn waiting_for_locks(sql: &Client) -> i64 {
    let waiting = "SELECT count(*) FROM pg_stat_activity
                   WHERE datname = current_database() AND wait_event_type = 'Lock'";
    sql.query_one(waiting, &[]).await.expect("the activity").get(0)
}

/// The statement of a read that was given up ran on, on a connection that others were then handed.
#[tokio::test]
async fn a_read_is_cancelled_at_its_deadline() {
    let app = App::start(Settings { read_deadline_secs: 1, ..Settings::default() }).await;
    assert_eq!(app.post(HEARTBEAT).await.status(), 202);
    app.fold().await;
    let (sql, other) = (app.database.connect().await, app.database.connect().await);
    locked(&sql).await;
    // More than there are connections, so all of them would be busy.
    let asked = (0..20).map(|second| {
        let path = format!("/v1/videos/v/heatmap?from=2026-11-{:02}", second + 1);
        let app = &app;
        async move { app.get(&path).await }
    });
    for response in join_all(asked).await {
        assert_eq!(response.status(), 503);
        assert!(response.headers().contains_key("retry-after"));
        let problem: Value = response.json().await.expect("a problem");
        let detail = problem["detail"].as_str().expect("a text");
        assert!(detail.contains("too long") || detail.contains("too many answers"), "{detail}");
        assert!(!detail.contains("not reachable") && !detail.contains("accepted"), "{detail}");
    }
    // The lock is still held, yet nobody waits for it any more.
    until("no statement waits", DEADLINE, async || (waiting_for_locks(&other).await == 0).then_some(()))
        .await;
    assert_eq!(app.post(HEARTBEAT).await.status(), 202);
    sql.batch_execute("COMMIT").await.expect("the lock is released");
    assert_eq!(app.json("/v1/videos/v/heatmap").await["viewers"], 1);
}

/// It was told as a database that is not reachable.
#[tokio::test]
async fn a_panic_is_a_fault_of_ours() {
    let app = App::start(Settings::default()).await;
    let answers = AnswerCache::new(&app.store, Clock::system(), Duration::from_secs(60));
    let made = answers.get::<ReadError>("key".to_owned(), async { panic!("a bug") }).await;
    let error = made.map(|_| ()).expect_err("no answer");
    assert!(matches!(&*error, ReadError::Store(StoreError::Fault(_))), "{error}");
    assert!(matches!(ApiError::from(error), ApiError::Internal));
}

/// How many transactions the database has seen.
async fn transactions(sql: &Client) -> i64 {
    let seen = "SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = current_database()";
    sql.batch_execute("SELECT pg_stat_clear_snapshot()").await.expect("a fresh look");
    sql.query_one(seen, &[]).await.expect("statistics").get(0)
}

/// Each probe was two statements, and so was each body of nonsense under a batch id.
#[tokio::test]
async fn probes_and_nonsense_cost_no_database() {
    let app = App::start(Settings::default()).await;
    let sql = app.database.connect().await;
    let before = transactions(&sql).await;
    let started = Instant::now();
    let id = uuid::Uuid::now_v7();
    let large = json!(vec![0; 10_001]).to_string();
    for _ in 0..300 {
        assert_eq!(app.get("/readyz").await.status(), 200);
        for body in ["nonsense", "7", &large] {
            let post = app.client.post(format!("{}/v1/heartbeats", app.url)).body(body.to_owned());
            let answer = post.header("idempotency-key", id.to_string()).send().await.expect("an answer");
            assert!([400, 413].contains(&answer.status().as_u16()));
        }
    }
    app.database.end_sessions().await;
    let seconds = started.elapsed().as_secs() as i64 + 1;
    let cost = transactions(&sql).await - before;
    // The process itself looks at the queue and at batch ids once a second.
    assert!(cost < 12 * seconds + 40, "{cost} transactions in {seconds} s");
}
