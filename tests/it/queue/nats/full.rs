//! A stream at its limit: 503, nothing lost, and on again once something is folded.

use chrono::Utc;
use heatstrip::{
    postgres::Store,
    queue::{
        Queue,
        nats::settings::{StreamSettings, prepare},
    },
};
use serde_json::json;

use crate::support::{App, Nats, Settings, database, until};

#[tokio::test]
async fn a_full_stream_is_answered_503_and_loses_nothing() {
    let nats = Nats::start().await;
    let database = database().await;
    let store = Store::connect(&database.url, 8).await.expect("a store");
    let settings = StreamSettings { max_bytes: 200_000, ..nats.settings() };
    prepare(&store, &nats.url, &settings).await.expect("a stream");
    let queue = Queue::open(&store, Some(&nats.url)).await.expect("a queue");
    let app = App::start_on(database, queue, Settings { now: Utc::now(), ..Settings::default() }).await;

    let (mut accepted, mut refused) = (0, 0);
    let body = |n: usize| {
        let beat = |second: usize| json!({"video_id": "full", "start_sec": second, "end_sec": second, "viewer_id": "v"});
        let beats: Vec<_> = (0..500).map(beat).collect();
        json!({"batch_id": uuid::Uuid::from_u128(n as u128), "heartbeats": beats}).to_string()
    };
    for n in 0..40 {
        let answer = app.post(body(n)).await;
        match answer.status().as_u16() {
            202 => {
                assert_eq!(refused, 0, "a smaller stream takes no batch of the same size");
                accepted += 1;
            }
            503 => {
                assert!(answer.headers().contains_key("retry-after"));
                refused += 1;
            }
            other => panic!("{other}"),
        }
    }
    assert!(accepted >= 5 && refused >= 5, "{accepted} accepted, {refused} refused");
    assert_eq!(app.get("/readyz").await.status(), 503, "it takes no more");

    assert_eq!(app.fold().await, accepted * 500);
    app.queue.tidy(false).await.expect("what is folded is removed");
    // Those that were refused come again, and one that was not.
    for n in [0, 38, 39] {
        assert_eq!(app.post(body(n)).await.status(), 202);
    }
    assert_eq!(app.fold().await, 1_000);
    app.queue.tidy(false).await.expect("what is folded is removed");
    let strip = app.json("/v1/videos/full/heatmap?resolution=3600").await;
    assert_eq!(strip["seconds_played"], (accepted + 2) * 500);
    // A look at the queue is kept for a second.
    until("it takes more", std::time::Duration::from_secs(10), async || {
        (app.get("/readyz").await.status() == 200).then_some(())
    })
    .await;
}
