//! Bodies are too large, and their clients send everything before they read anything.

use std::time::Duration;

use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
    time::timeout,
};

use super::{CANARY, check_problem, good, post, send, start};
use crate::support::App;

const MIB: usize = 1 << 20;
/// Things that take milliseconds get this long.
const DEADLINE: Duration = Duration::from_secs(20);

/// Sends the head and all of the body, then reads the answer.
async fn send_then_read(app: &App, head: &str, body: &[u8]) -> (u16, String, Value) {
    let address = app.url.strip_prefix("http://").expect("an address");
    // The buffer is small, so that the server has to take what is sent, as it has to from afar.
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_send_buffer_size(65_536).expect("a buffer");
    let mut stream = socket.connect(address.parse().expect("an address")).await.expect("a connection");
    let exchange = async {
        let head =
            format!("POST /v1/heartbeats HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n{head}\r\n");
        stream.write_all(head.as_bytes()).await.expect("the head is taken");
        stream.write_all(body).await.expect("the body is taken");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.expect("the answer can be read");
        String::from_utf8(answer).expect("text")
    };
    let answer = timeout(DEADLINE, exchange).await.expect("an answer in time");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    let status = head.split(' ').nth(1).expect("a status").parse().expect("a number");
    let json = serde_json::from_str(body).unwrap_or_else(|_| panic!("no JSON: {answer}"));
    if status >= 400 {
        check_problem(status, &headers(head), &json);
    }
    (status, head.to_owned(), json)
}

fn headers(head: &str) -> reqwest::header::HeaderMap {
    head.lines()
        .skip(1)
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| {
            let name: reqwest::header::HeaderName = name.parse().expect("a name");
            (name, value.parse().expect("a value"))
        })
        .collect()
}

fn content_length(bytes: usize) -> String {
    format!("content-type: application/json\r\ncontent-length: {bytes}\r\n")
}

/// Returns a good heartbeat in a body of exactly this length.
fn padded(bytes: usize) -> Vec<u8> {
    let mut body = good("padded").into_bytes();
    body.resize(bytes, b' ');
    body
}

fn chunked(body: &[u8]) -> Vec<u8> {
    let mut sent = Vec::new();
    for chunk in body.chunks(60_000) {
        sent.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
        sent.extend_from_slice(chunk);
        sent.extend_from_slice(b"\r\n");
    }
    sent.extend_from_slice(b"0\r\n\r\n");
    sent
}

#[tokio::test]
async fn a_mebibyte_is_taken_and_one_byte_more_is_not() {
    let app = start().await;
    let (status, _, json) = send_then_read(&app, &content_length(MIB), &padded(MIB)).await;
    assert_eq!((status, &json["accepted"]), (202, &1.into()));
    let (status, _, json) = send_then_read(&app, &content_length(MIB + 1), &padded(MIB + 1)).await;
    assert_eq!(status, 413, "{json}");
    let chunks = "transfer-encoding: chunked\r\n";
    assert_eq!(send_then_read(&app, chunks, &chunked(&padded(MIB))).await.0, 202);
    assert_eq!(send_then_read(&app, chunks, &chunked(&padded(MIB + 1))).await.0, 413);
    assert_eq!(app.fold().await, 2);
}

#[tokio::test]
async fn a_client_that_sends_it_all_first_reads_its_413() {
    let app = start().await;
    for mebibytes in [2, 5, 8] {
        let body = padded(mebibytes * MIB);
        let (status, ..) = send_then_read(&app, &content_length(body.len()), &body).await;
        assert_eq!(status, 413, "{mebibytes} MiB");
        let (status, ..) = send_then_read(&app, "transfer-encoding: chunked\r\n", &chunked(&body)).await;
        assert_eq!(status, 413, "{mebibytes} MiB in chunks");
    }
    // A client that reads its answers keeps its connection.
    for body in [padded(3 * MIB), good("after").into_bytes()] {
        let request = app.client.post(format!("{}/v1/heartbeats", app.url)).body(body);
        send(request).await;
    }
    assert_eq!(app.fold().await, 1);
}

/// Other refusals come after the body too, as a large body would otherwise tear the answer away with the connection.
#[tokio::test]
async fn a_client_that_sends_it_all_first_reads_its_400_and_415() {
    let app = start().await;
    let body = padded(MIB);
    let length = format!("content-length: {}\r\n", body.len());
    for (head, expected) in [
        ("content-type: text/html\r\n", 415),
        ("content-encoding: gzip\r\n", 415),
        ("idempotency-key: 7\r\n", 400),
    ] {
        for _ in 0..5 {
            let (status, ..) = send_then_read(&app, &format!("{head}{length}"), &body).await;
            assert_eq!(status, expected, "{head}");
        }
    }
}

#[tokio::test]
async fn an_announced_giant_is_refused_before_it_is_sent() {
    let app = start().await;
    for announced in ["104857600", "9223372036854775807"] {
        for expect in ["", "expect: 100-continue\r\n"] {
            let head = format!("content-length: {announced}\r\n{expect}");
            let (status, head, _) = send_then_read(&app, &head, b"").await;
            assert_eq!(status, 413, "{announced}: {head}");
        }
    }
    // Chunks without end are read up to a bound.
    let body = chunked(&padded(9 * MIB));
    let address = app.url.strip_prefix("http://").expect("an address");
    let stream = TcpStream::connect(address).await.expect("a connection");
    let (mut reader, mut writer) = stream.into_split();
    let head =
        format!("POST /v1/heartbeats HTTP/1.1\r\nhost: {address}\r\ntransfer-encoding: chunked\r\n\r\n");
    let sending = tokio::spawn(async move {
        writer.write_all(head.as_bytes()).await.expect("the head is taken");
        // The chunks have no end, so the connection is closed at some point.
        while writer.write_all(&body[..body.len() - 5]).await.is_ok() {}
    });
    let mut answer = vec![0; 12];
    let read = timeout(DEADLINE, reader.read_exact(&mut answer)).await;
    read.expect("an answer in time").expect("an answer");
    assert_eq!(answer, b"HTTP/1.1 413");
    drop(reader);
    timeout(DEADLINE, sending).await.expect("the connection ends").expect("it ends in order");
}

#[tokio::test]
async fn ten_thousand_heartbeats_are_taken_and_one_more_is_not() {
    let app = start().await;
    let small = r#"{"video_id":"many","start_sec":0,"end_sec":0,"viewer_id":"w"}"#;
    for (count, expected) in [(10_000, 202), (10_001, 413)] {
        let elements = vec![small; count];
        for (content_type, body) in [
            ("application/json", format!("[{}]", elements.join(","))),
            ("application/json", format!(r#"{{"heartbeats":[{}]}}"#, elements.join(","))),
            ("application/x-ndjson", elements.join("\n")),
        ] {
            let answer = post(&app, Some(content_type), body).await;
            assert_eq!(answer.status, expected, "{count} as {content_type}: {}", answer.json);
            if expected == 202 {
                assert_eq!(answer.json["accepted"], count);
            } else {
                assert!(answer.refusal().1.contains("10000"), "{}", answer.json);
            }
        }
    }
    // Bad heartbeats count too, because the work is what is bounded.
    let answer = post(&app, Some("application/json"), format!("[{}]", vec!["0"; 10_001].join(","))).await;
    assert_eq!(answer.status, 413);
    let answer = post(&app, Some("application/json"), format!("[{}]", vec!["0"; 10_000].join(","))).await;
    assert_eq!(answer.status, 422);
    assert_eq!(answer.json["rejected"].as_array().expect("a list").len(), 100);
    assert_eq!(answer.json["rejected_total"], 10_000);
    assert_eq!(app.fold().await, 30_000);
}

#[tokio::test]
async fn a_body_that_breaks_off_leaves_nothing() {
    let app = start().await;
    let address = app.url.strip_prefix("http://").expect("an address");
    for head in ["content-length: 5000\r\n", "transfer-encoding: chunked\r\n"] {
        let mut stream = TcpStream::connect(address).await.expect("a connection");
        let sent = format!("POST /v1/heartbeats HTTP/1.1\r\nhost: {address}\r\n{head}\r\n");
        stream.write_all(sent.as_bytes()).await.expect("the head is taken");
        let body = good(CANARY);
        let body = match head.starts_with("transfer") {
            true => format!("{:x}\r\n{body}\r\nnonsense\r\n", body.len()),
            false => body,
        };
        stream.write_all(body.as_bytes()).await.expect("some of the body is taken");
        stream.shutdown().await.expect("no more comes");
        let mut answer = Vec::new();
        let read = timeout(DEADLINE, stream.read_to_end(&mut answer)).await;
        let _ = read.expect("an end in time");
        let answer = String::from_utf8_lossy(&answer);
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 400"), "{answer}");
        assert!(!answer.contains(CANARY));
    }
    assert_eq!(app.get("/healthz").await.status(), 200);
    assert_eq!(app.fold().await, 0);
}
