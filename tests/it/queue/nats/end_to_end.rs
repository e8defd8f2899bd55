//! Heartbeats and views over HTTP, through the stream, into strips and totals: as through the table.

use chrono::{TimeDelta, Utc};
use heatstrip::postgres::Store;
use serde_json::{Value, json};

use crate::support::{App, Nats, Settings, database};

/// Heartbeats of several videos, viewers and regions, some of them views too.
fn heartbeats() -> Vec<Value> {
    let at = Utc::now() - TimeDelta::minutes(5);
    (0..200)
        .map(|n| {
            let region = ["JP", "DE"][n % 2];
            json!({
                "video_id": format!("video {}", n % 7), "region": region, "at": at,
                "start_sec": n % 50, "end_sec": n % 50 + 9, "viewer_id": format!("viewer {}", n % 23),
                "view": n % 3 == 0,
            })
        })
        .collect()
}

/// What is answered of everything, without the time of the answer.
async fn answers(app: &App) -> Vec<Value> {
    let mut answers = Vec::new();
    for video in 0..7 {
        for path in ["heatmap?resolution=1", "heatmap?resolution=5&region=JP", "views"] {
            let mut answer = app.json(&format!("/v1/videos/video%20{video}/{path}")).await;
            answer.as_object_mut().expect("an object").remove("generated_at");
            answers.push(answer);
        }
    }
    answers
}

async fn send(app: &App) {
    for (number, batch) in heartbeats().chunks(30).enumerate() {
        let id = uuid::Uuid::from_u128(number as u128 + 1);
        let body = json!({"batch_id": id, "heartbeats": batch}).to_string();
        assert_eq!(app.post(body.clone()).await.status(), 202);
        // Its sender did not hear the answer.
        assert_eq!(app.post(body).await.status(), 202);
    }
    let view =
        json!({"video_id": "video 3", "viewer_id": "somebody", "at": Utc::now() - TimeDelta::minutes(1)});
    let request = app.client.post(format!("{}/v1/views", app.url)).body(view.to_string());
    assert_eq!(request.send().await.expect("an answer").status(), 202);
}

#[tokio::test]
async fn the_stream_counts_what_the_table_counts() {
    let settings = || Settings { now: Utc::now(), ..Settings::default() };
    let by_table = App::start(settings()).await;
    send(&by_table).await;
    by_table.fold().await;
    let expected = answers(&by_table).await;

    let nats = Nats::start().await;
    let database = database().await;
    let store = Store::connect(&database.url, 8).await.expect("a store");
    let queue = nats.queue(&store).await;
    let by_stream = App::start_on(database, queue, settings()).await;
    send(&by_stream).await;
    let waiting = by_stream.queue.depth().await.expect("a depth");
    assert!(waiting.heartbeats > 0 && waiting.oldest.is_some(), "{waiting:?}");
    by_stream.fold().await;
    assert_eq!(answers(&by_stream).await, expected);
    let waiting = by_stream.queue.depth().await.expect("a depth");
    assert_eq!((waiting.heartbeats, waiting.oldest), (0, None));
    // Folded again, nothing comes of it.
    assert_eq!(by_stream.fold().await, 0);
    assert_eq!(answers(&by_stream).await, expected);
}
