//! Batch ids: a retry is answered as the first try was, and counts once.

mod window;
mod full;
mod outage;
mod commit;
mod proxy;

use std::time::Duration;

use reqwest::{RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{App, Settings, TestDatabase};

/// Things that take a moment get this long.
const DEADLINE: Duration = Duration::from_secs(30);

/// Returns a heartbeat of one second.
fn heartbeat(video_id: &str) -> Value {
    json!({"video_id": video_id, "start_sec": 7, "end_sec": 7, "viewer_id": "w"})
}

/// The id of a batch goes into the envelope, into the header, or into both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum IdIn {
    Envelope,
    Header,
    Both,
}

fn batch(app: &App, id: Uuid, id_in: IdIn, heartbeats: &Value) -> RequestBuilder {
    let body = match id_in {
        IdIn::Header => heartbeats.clone(),
        _ => json!({"batch_id": id, "heartbeats": heartbeats}),
    };
    let request = app.client.post(format!("{}/v1/heartbeats", app.url)).body(body.to_string());
    match id_in {
        IdIn::Envelope => request,
        _ => request.header("idempotency-key", id.to_string()),
    }
}

async fn send(request: RequestBuilder) -> (StatusCode, Value) {
    read(request.send().await.expect("an answer")).await
}

async fn read(response: Response) -> (StatusCode, Value) {
    let status = response.status();
    if status == StatusCode::SERVICE_UNAVAILABLE {
        let secs: u64 = response.headers()["retry-after"].to_str().expect("text").parse().expect("seconds");
        assert!((1..=60).contains(&secs), "{secs}");
        assert_eq!(response.headers()["content-type"], "application/problem+json");
    }
    (status, response.json().await.expect("JSON"))
}

/// Sends one heartbeat of a video under an id.
async fn send_one(app: &App, id: Uuid, video_id: &str) -> (StatusCode, Value) {
    send(batch(app, id, IdIn::Envelope, &json!([heartbeat(video_id)]))).await
}

/// Returns how often second 7 of a video was played, once everything queued is folded.
async fn plays(app: &App, video_id: &str) -> u64 {
    app.fold().await;
    app.json(&format!("/v1/videos/{video_id}/heatmap?resolution=1")).await["seconds_played"]
        .as_u64()
        .expect("a number")
}

/// Starts another process on the same database.
async fn beside(app: &App, settings: Settings) -> App {
    let database = TestDatabase { url: app.database.url.clone() };
    let store = heatstrip::postgres::Store::connect(&database.url, 8).await.expect("a migrated database");
    App::start_on(database, store, settings).await
}

fn accepted(duplicate: bool) -> Value {
    match duplicate {
        true => json!({"accepted": 1, "rejected": [], "duplicate": true}),
        false => json!({"accepted": 1, "rejected": []}),
    }
}

/// Asks until the answer is as it should be; the state it waits for comes by itself.
async fn until<F: Future<Output = bool>>(what: &str, mut reached: impl FnMut() -> F) {
    crate::support::until(what, DEADLINE, async || reached().await.then_some(())).await;
}

#[tokio::test]
async fn a_retry_is_answered_as_the_first_try_was() {
    let app = App::start(Settings::default()).await;
    let places = [IdIn::Envelope, IdIn::Header, IdIn::Both];
    for (number, first) in places.into_iter().enumerate() {
        let id = Uuid::now_v7();
        let video = format!("retried-{number}");
        let heartbeats = json!([heartbeat(&video), 5, heartbeat(&video), {"video_id": ""}]);
        let (status, answer) = send(batch(&app, id, first, &heartbeats)).await;
        let rejected = json!([
            {"index": 1, "field": null, "reason": "malformed"},
            {"index": 3, "field": "video_id", "reason": "empty"},
        ]);
        assert_eq!(status, 202);
        assert_eq!(answer, json!({"accepted": 2, "rejected": rejected}));
        for retry in places {
            // The answer is the one of then, also when the batch was folded meanwhile.
            let (status, answer) = send(batch(&app, id, retry, &heartbeats)).await;
            assert_eq!(status, 202, "{first:?}, {retry:?}");
            assert_eq!(
                answer,
                json!({"accepted": 2, "rejected": rejected, "duplicate": true}),
                "{first:?}, {retry:?}"
            );
            assert_eq!(plays(&app, &video).await, 2, "{first:?}, {retry:?}");
        }
        // The id counts, and not what is sent with it.
        let other = json!([heartbeat("something else")]);
        assert_eq!(send(batch(&app, id, first, &other)).await.1["accepted"], 2);
        assert_eq!(plays(&app, "something%20else").await, 0);
    }
    // Without an id the same heartbeats are counted again.
    for _ in 0..2 {
        let response = app.post(heartbeat("plain").to_string()).await;
        assert_eq!(read(response).await, (StatusCode::ACCEPTED, accepted(false)));
    }
    assert_eq!(plays(&app, "plain").await, 2);
}

#[tokio::test]
async fn a_key_makes_ndjson_and_single_heartbeats_safe_too() {
    let app = App::start(Settings::default()).await;
    for (content_type, body) in [
        ("application/x-ndjson", format!("{}\n", heartbeat("keyed"))),
        ("application/json", heartbeat("keyed").to_string()),
    ] {
        let id = Uuid::new_v4().to_string();
        for duplicate in [false, true, true] {
            let request = app.client.post(format!("{}/v1/heartbeats", app.url));
            let request = request
                .header("content-type", content_type)
                .header("idempotency-key", &id)
                .body(body.clone());
            assert_eq!(send(request).await, (StatusCode::ACCEPTED, accepted(duplicate)));
        }
    }
    assert_eq!(plays(&app, "keyed").await, 2);
}

/// A batch that was not accepted is not remembered: the client may mend it and send it under the same id.
#[tokio::test]
async fn a_refused_batch_leaves_its_id_free() {
    let app = App::start(Settings::default()).await;
    let id = Uuid::now_v7();
    for _ in 0..2 {
        let (status, answer) = send(batch(&app, id, IdIn::Both, &json!([7]))).await;
        assert_eq!(status, 422, "{answer}");
    }
    assert_eq!(send_one(&app, id, "mended").await.1, accepted(false));
    assert_eq!(plays(&app, "mended").await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_at_once_with_one_id_count_once() {
    let one = App::start(Settings::default()).await;
    let other = beside(&one, Settings::default()).await;
    for round in 0..5 {
        let id = Uuid::now_v7();
        let video = format!("at-once-{round}");
        let sent = (0..50).map(|number| {
            // Half of them carry company, so that groups differ.
            let app = if number % 2 == 0 { &one } else { &other };
            let request = batch(app, id, IdIn::Envelope, &json!([heartbeat(&video)]));
            let plain = app.post(heartbeat(&format!("company-{round}")).to_string());
            async move {
                let (answer, company) = tokio::join!(send(request), plain);
                assert_eq!(company.status(), 202);
                answer
            }
        });
        let mut firsts = 0;
        for (status, answer) in futures_util::future::join_all(sent).await {
            assert_eq!(status, 202, "{answer}");
            firsts += u32::from(answer == accepted(false));
            assert!(answer == accepted(false) || answer == accepted(true), "{answer}");
        }
        assert_eq!(firsts, 1, "one of them was the first");
        assert_eq!(plays(&one, &video).await, 1);
        assert_eq!(plays(&one, &format!("company-{round}")).await, 50);
    }
}

/// Sets of ids overlap and come in any order: nobody waits in a circle, and each id counts once.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_same_batches_in_any_order_count_once_each() {
    let one = App::start(Settings::default()).await;
    let other = beside(&one, Settings::default()).await;
    let ids: Vec<Uuid> = (0..100).map(|_| Uuid::new_v4()).collect();
    let mut reversed = ids.clone();
    reversed.reverse();
    let all = [(&one, &ids), (&other, &reversed), (&one, &reversed), (&other, &ids)];
    let sent = all.into_iter().flat_map(|(app, ids)| {
        ids.iter().map(move |&id| async move {
            let (status, answer) = send_one(app, id, "any-order").await;
            assert_eq!(status, 202, "{answer}");
            u32::from(answer == accepted(false))
        })
    });
    let firsts: u32 = futures_util::future::join_all(sent).await.into_iter().sum();
    assert_eq!(firsts, 100);
    assert_eq!(plays(&one, "any-order").await, 100);
}
