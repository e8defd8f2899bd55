//! Servers and processes that die and come back.

use std::time::Duration;

use chrono::Utc;
use heatstrip::work::worker;

use super::super::conformance::{Bench, beat};
use crate::support::{App, Settings, until};

const RECOVERY: Duration = Duration::from_secs(20);

/// What was acknowledged is there after a kill -9; while the server is away 503 is answered, and `/readyz` says so.
#[tokio::test]
async fn what_was_acknowledged_survives_the_server() {
    let bench = Bench::stream().await;
    let Bench { queue, database, nats, .. } = bench;
    let mut nats = nats.expect("a stream");
    let app = App::start_on(database, queue, Settings { now: Utc::now(), ..Settings::default() }).await;
    let body = r#"{"video_id":"v","start_sec":0,"end_sec":9,"viewer_id":"somebody"}"#;
    for _ in 0..20 {
        assert_eq!(app.post(body).await.status(), 202);
    }
    assert_eq!(app.get("/readyz").await.status(), 200);
    nats.process.kill().await;
    until("the loss is noticed", RECOVERY, async || {
        let answer = app.post(body).await;
        assert_ne!(answer.status(), 202, "nobody has it");
        (answer.status() == 503 && answer.headers().contains_key("retry-after")).then_some(())
    })
    .await;
    until("it says that it cannot serve", RECOVERY, async || {
        (app.get("/readyz").await.status() == 503).then_some(())
    })
    .await;
    nats.restart().await;
    until("it serves again", RECOVERY, async || (app.get("/readyz").await.status() == 200).then_some(()))
        .await;
    until("it accepts again", RECOVERY, async || (app.post(body).await.status() == 202).then_some(())).await;
    app.fold().await;
    let strip = app.json("/v1/videos/v/heatmap?resolution=3600").await;
    // Whoever was answered 503 for want of an acknowledgement sent no id: at most that one request counts besides.
    let played = strip["seconds_played"].as_i64().expect("a number");
    assert!((210..=220).contains(&played), "{played}");
}

/// The fold is committed, and what it folded was not removed from the stream: read again, nothing comes of it.
#[tokio::test]
async fn messages_that_are_read_again_count_once() {
    let bench = Bench::stream().await;
    for second in 0..30 {
        bench.enqueue(&[bench.batch(None, &[beat("one", second), beat("two", second)])]).await;
    }
    // Half of it is folded by a process that dies before it removes anything.
    let dies = bench.another().await;
    let step = worker::step(&dies, &later(), Duration::ZERO).await.expect("a step");
    assert_ne!(step, worker::Step::Idle);
    drop(dies);
    let first = bench.played("one").await + bench.played("two").await;
    assert_eq!(first, 300, "one of the two lanes is folded");
    let next = bench.another().await;
    assert_eq!(worker::run_once(&next, &bench.clock).await.expect("the rest is folded"), 30);
    assert_eq!((bench.played("one").await, bench.played("two").await), (300, 300));
    // Removed by one, not missed by another that had them in its memory.
    next.tidy(false).await.expect("the folded ones are removed");
    assert_eq!(bench.fold().await, 0);
    bench.enqueue(&[bench.batch(None, &[beat("one", 50)])]).await;
    assert_eq!(bench.fold().await, 1);
    assert_eq!(worker::run_once(&next, &bench.clock).await.expect("nothing is left"), 0);
    assert_eq!(bench.played("one").await, 310);
}

/// A worker that sleeps while others fold and remove what it was about to read goes on behind it.
#[tokio::test]
async fn a_worker_that_is_far_behind_goes_on_where_the_others_are() {
    let bench = Bench::stream().await;
    let slow = bench.another().await;
    bench.enqueue(&[bench.batch(None, &[beat("one", 0)])]).await;
    assert_eq!(worker::run_once(&slow, &bench.clock).await.expect("it is folded"), 1);
    for second in 0..50 {
        bench.enqueue(&[bench.batch(None, &[beat("one", second)])]).await;
    }
    assert_eq!(bench.fold().await, 50);
    bench.queue.tidy(false).await.expect("the folded ones are removed");
    bench.enqueue(&[bench.batch(None, &[beat("one", 0)])]).await;
    assert_eq!(worker::run_once(&slow, &bench.clock).await.expect("it goes on"), 1);
    assert_eq!(bench.played("one").await, 520);
}

/// The database loses its last moments, the stream has everything: it is folded again.
#[tokio::test]
async fn steps_that_postgres_lost_are_taken_again() {
    let bench = Bench::stream().await;
    bench.enqueue(&[bench.batch(Some(uuid::Uuid::now_v7()), &[beat("one", 0), beat("two", 0)])]).await;
    assert_eq!(bench.fold().await, 2);
    // As a crash leaves it: the commits of the steps are not waited for.
    bench
        .sql
        .batch_execute(
            "BEGIN; DELETE FROM video_heatmap_shards; DELETE FROM video_heatmap_whole_shards; DELETE FROM sampled_watches;
             DELETE FROM batch_ids; UPDATE queue_stream SET registered = 0, registered_message = NULL, heartbeats = 0;
             UPDATE queue_stream_lanes SET sequence = 0, heartbeats = 0; COMMIT",
        )
        .await
        .expect("it went back");
    assert_eq!(bench.fold().await, 2);
    assert_eq!((bench.played("one").await, bench.played("two").await), (10, 10));
}

fn later() -> heatstrip::clock::Clock {
    heatstrip::clock::Clock::by_hand(Utc::now() + chrono::TimeDelta::hours(1))
}
