//! One sender's flood is its own affair.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use heatstrip::access::{
    budget::Budget,
    key::{Role, Secret},
};
use reqwest::{Method, Response, header};

use super::{heartbeat, key, made, random_id, request};
use crate::support::{App, Settings};

async fn start() -> App {
    let client_address_header = Some("x-forwarded-for".parse().expect("a header"));
    App::start(Settings { client_address_header, ..Settings::default() }).await
}

async fn post_from(app: &App, key: &Secret, address: &str, seconds: u32, beats: usize) -> Response {
    let one = || heartbeat("v", &random_id(), "JP", (0, seconds - 1));
    let body = serde_json::json!((0..beats).map(|_| one()).collect::<Vec<_>>()).to_string();
    let post =
        request(app, Method::POST, "/v1/heartbeats", key).header("x-forwarded-for", address).body(body);
    post.send().await.expect("an answer")
}

fn retry_after(response: &Response) -> u64 {
    response.headers()[header::RETRY_AFTER].to_str().expect("text").parse().expect("a number")
}

#[tokio::test]
async fn a_sender_that_asks_too_often_is_told_when_to_come_back() {
    let app = start().await;
    let mut limited = key("limited", Role::Player);
    limited.budget = Budget { requests_per_sec: Some(5), watched_secs_per_min: None };
    let limited = made(&app, &limited).await;
    // What stands left of the proxy's own entry is the sender's word.
    let forged = |number: usize| format!("198.51.100.{number}, 203.0.113.9");
    let addresses: Vec<String> = (0..50).map(forged).collect();
    let posts = addresses.iter().map(|address| post_from(&app, &limited, address, 10, 1));
    let answers = join_all(posts).await;
    let refused: Vec<&Response> = answers.iter().filter(|answer| answer.status() == 429).collect();
    assert!(refused.len() >= 30, "{} of 50", refused.len());
    assert!(refused.iter().all(|answer| retry_after(answer) == 1));
    assert!(answers.iter().all(|answer| [202, 429].contains(&answer.status().as_u16())));
    assert_eq!(
        post_from(&app, &limited, "203.0.113.10", 10, 1).await.status(),
        202,
        "others are not touched"
    );
}

/// A batch of 6,000 watched seconds under a budget of 600 a minute: it is taken once and paid for.
#[tokio::test]
async fn watched_seconds_go_into_debt() {
    let app = start().await;
    let mut limited = key("limited", Role::Player);
    limited.budget = Budget { requests_per_sec: None, watched_secs_per_min: Some(600) };
    let limited = made(&app, &limited).await;
    assert_eq!(post_from(&app, &limited, "2001:db8:1:2:3::4", 600, 10).await.status(), 202);
    let refused = post_from(&app, &limited, "2001:db8:1:2:9::9", 1, 1).await;
    assert_eq!(refused.status(), 429, "a household is one sender");
    assert!((535..=540).contains(&retry_after(&refused)), "{}", retry_after(&refused));
    assert_eq!(post_from(&app, &limited, "2001:db8:1:3::4", 600, 1).await.status(), 202);
}

/// 200 sockets that send heads and no bodies, and a flood from one address beside somebody who watches.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_does_not_hold_up_another_sender() {
    let app = start().await;
    let mut flooded = key("flooded", Role::Player);
    flooded.budget = Budget { requests_per_sec: Some(20), watched_secs_per_min: Some(240_000) };
    let flooded = made(&app, &flooded).await;
    let mut slow = Vec::new();
    for _ in 0..200 {
        let mut stream = tokio::net::TcpStream::connect(app.url.trim_start_matches("http://"))
            .await
            .expect("a connection");
        let head = b"POST /v1/heartbeats HTTP/1.1\r\nhost: h\r\ncontent-length: 1048576\r\n\r\n[";
        tokio::io::AsyncWriteExt::write_all(&mut stream, head).await.expect("the head is taken");
        slow.push(stream);
    }
    let stop = tokio_util::sync::CancellationToken::new();
    let flood = async {
        let mut refused = 0;
        while !stop.is_cancelled() {
            let posts = (0..16).map(|_| post_from(&app, &flooded, "203.0.113.66", 10, 1));
            refused += join_all(posts).await.iter().filter(|answer| answer.status() == 429).count();
        }
        refused
    };
    let watch = async {
        let mut took = Vec::new();
        for _ in 0..100 {
            let asked = Instant::now();
            assert_eq!(post_from(&app, &flooded, "203.0.113.7", 10, 1).await.status(), 202);
            took.push(asked.elapsed());
            tokio::time::sleep(Duration::from_millis(60)).await;
        }
        stop.cancel();
        took.sort_unstable();
        took
    };
    let (refused, took) = tokio::join!(flood, watch);
    assert!(refused > 100, "{refused}");
    // Measured on a quiet machine it is a tenth of this.
    assert!(took[98] < Duration::from_millis(1_000), "p99 {:?}", took[98]);
    println!("p50 {:?}, p99 {:?} under 200 slow sockets, {refused} refused", took[50], took[98]);
}
