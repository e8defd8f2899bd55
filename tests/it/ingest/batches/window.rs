//! An id is remembered for the dedup window at least, and not for ever.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use heatstrip::{
    events::hashed::HashedHeartbeat,
    ingest::intake::Intake,
    postgres::Store,
    queue::{
        Batch, Enqueued,
        batch_ids::{Accepted, Ring},
    },
    work::upkeep,
};
use serde_json::json;
use tokio_postgres::NoTls;
use uuid::Uuid;

use super::{IdIn, accepted, batch, plays, send, send_one};
use crate::support::{App, Settings};

const WINDOW: Duration = Duration::from_secs(600);

/// Returns the number of rows in the tables of batch ids.
async fn remembered(app: &App) -> i64 {
    let (client, connection) = tokio_postgres::connect(&app.database.url, NoTls).await.expect("a connection");
    tokio::spawn(connection);
    let row = client.query_one("SELECT count(*) FROM batch_ids", &[]).await;
    row.expect("a count").get(0)
}

async fn move_clock(app: &App, intake: &Intake, to: DateTime<Utc>) {
    app.clock.set(to);
    upkeep::step(&app.store.clone().into(), &app.clock, intake, Some(WINDOW), true)
        .await
        .expect("a round of upkeep");
}

#[tokio::test]
async fn an_id_is_remembered_for_the_window_and_forgotten_after_it() {
    let app = App::start(Settings::default()).await;
    let intake = Intake::start(app.store.clone(), app.clock.clone(), 1);
    let start = Settings::default().now;
    let second = TimeDelta::seconds(1);
    let window = TimeDelta::from_std(WINDOW).expect("ten minutes");
    // The ring turns every ten minutes from here on; ids come in at any time between.
    move_clock(&app, &intake, start).await;
    let mut ids: Vec<(DateTime<Utc>, Uuid)> = Vec::new();
    for offset in [0, 1, 299, 598, 599] {
        let now = start + TimeDelta::seconds(offset);
        move_clock(&app, &intake, now).await;
        let id = Uuid::now_v7();
        assert_eq!(send_one(&app, id, &format!("window-{offset}")).await.1, accepted(false));
        ids.push((now, id));
    }
    let mut now = start + TimeDelta::seconds(599);
    while now < start + window * 3 {
        now += second * 30;
        move_clock(&app, &intake, now).await;
        for (sent, id) in &ids {
            if now - *sent < window {
                // The database is asked in a way that does not bring the id back as a new one.
                let known = app.store.accepted_batches(Ring::Http, &[*id]).await;
                assert!(known.expect("an answer").contains_key(id), "an id of {sent} is forgotten at {now}");
            }
        }
    }
    assert_eq!(remembered(&app).await, 0, "what is forgotten is gone from the disk");
    for (_, id) in &ids {
        assert_eq!(send_one(&app, *id, "again").await.1, accepted(false));
    }
    assert_eq!(plays(&app, "again").await, 5);
}

/// A duplicate comes over HTTP at the last moment of the window, however the ring stands.
#[tokio::test]
async fn the_last_moment_of_the_window_still_counts() {
    let app = App::start(Settings::default()).await;
    let intake = Intake::start(app.store.clone(), app.clock.clone(), 1);
    let mut now = Settings::default().now;
    for (number, before_turn) in [0, 1, 300, 599, 600].into_iter().enumerate() {
        // The ring is fresh, then so many seconds old.
        now += TimeDelta::hours(1);
        move_clock(&app, &intake, now).await;
        now += TimeDelta::seconds(600 - before_turn);
        app.clock.set(now);
        let id = Uuid::now_v7();
        let video = format!("last-{number}");
        assert_eq!(send_one(&app, id, &video).await.1, accepted(false));
        for seconds in [60; 9].into_iter().chain([59]) {
            now += TimeDelta::seconds(seconds);
            move_clock(&app, &intake, now).await;
        }
        assert_eq!(send_one(&app, id, &video).await.1, accepted(true), "{before_turn} s before the turn");
        assert_eq!(plays(&app, &video).await, 1);
    }
}

/// Ids are looked up before anything else: a batch that would be refused by now was accepted then.
#[tokio::test]
async fn a_duplicate_is_a_duplicate_even_if_it_would_be_refused_by_now() {
    let app = App::start(Settings { dedup_window_secs: 7 * 86_400, ..Settings::default() }).await;
    let id = Uuid::now_v7();
    let mut old = super::heartbeat("aged");
    old["at"] = json!("2026-11-21T10:00:00Z");
    let aged = json!([old, 7]);
    assert_eq!(send(batch(&app, id, IdIn::Both, &aged)).await.1["accepted"], 1);
    app.clock.set(Settings::default().now + TimeDelta::hours(49));
    for id_in in [IdIn::Envelope, IdIn::Header, IdIn::Both] {
        let (status, answer) = send(batch(&app, id, id_in, &aged)).await;
        assert_eq!(status, 202, "{answer}");
        let rejected = json!([{"index": 1, "field": null, "reason": "malformed"}]);
        assert_eq!(answer, json!({"accepted": 1, "rejected": rejected, "duplicate": true}));
    }
    let (status, answer) = send(batch(&app, Uuid::now_v7(), IdIn::Envelope, &aged)).await;
    assert_eq!(status, 422);
    assert_eq!(answer["rejected"][0]["reason"], "too_old");
    // A body that comes through broken is no batch, and costs the database nothing; its retry is one.
    let request = app.client.post(format!("{}/v1/heartbeats", app.url));
    let (status, _) = send(request.header("idempotency-key", id.to_string()).body("[{")).await;
    assert_eq!(status, 400);
    assert_eq!(send(batch(&app, id, IdIn::Header, &aged)).await.1["duplicate"], true);
    assert_eq!(plays(&app, "aged").await, 1);
}

#[tokio::test]
async fn a_window_of_nothing_remembers_nothing() {
    let app = App::start(Settings { dedup_window_secs: 0, ..Settings::default() }).await;
    let id = Uuid::now_v7();
    for _ in 0..2 {
        assert_eq!(send_one(&app, id, "off").await.1, accepted(false));
    }
    assert_eq!(plays(&app, "off").await, 2);
    assert_eq!(remembered(&app).await, 0);
    // An id that is no UUID is none in either place.
    let request = batch(&app, id, IdIn::Envelope, &json!([])).header("idempotency-key", "7");
    assert_eq!(send(request).await.0, 400);
}

fn one_batch(id: Uuid, video_id: &str) -> Batch {
    let heartbeat = HashedHeartbeat {
        video_id,
        region: "JP",
        captured_on: Settings::default().now.date_naive(),
        start_sec: 7,
        end_sec: 7,
        viewer_hash: 1,
    };
    Batch {
        id: Some(id),
        lanes: BTreeMap::from([(3, [heartbeat].into_iter().collect())]),
        answer: Accepted { accepted: 1, rejected: "[]".into() },
    }
}

async fn enqueue(store: &Store, ring: Ring, id: Uuid, video_id: &str) -> Enqueued {
    let outcome = store.enqueue(ring, &[one_batch(id, video_id)], Settings::default().now).await;
    outcome.expect("it is enqueued").remove(0)
}

#[tokio::test]
async fn replayed_chunks_and_clients_batches_do_not_know_each_other() {
    let app = App::start(Settings::default()).await;
    let id = Uuid::now_v7();
    assert_eq!(enqueue(&app.store, Ring::Replay, id, "rings").await, Enqueued::New);
    assert_eq!(send_one(&app, id, "rings").await.1, accepted(false));
    assert!(matches!(enqueue(&app.store, Ring::Replay, id, "rings").await, Enqueued::Duplicate(_)));
    // The clients' ring turns twice, after which only the chunk is still known.
    for turn in 1..=3 {
        let now = Settings::default().now + TimeDelta::hours(turn);
        app.clock.set(now);
        app.store.rotate_batch_ids(Ring::Http, WINDOW, now).await.expect("a turn");
    }
    assert_eq!(send_one(&app, id, "rings").await.1, accepted(false));
    assert!(matches!(enqueue(&app.store, Ring::Replay, id, "rings").await, Enqueued::Duplicate(_)));
    assert_eq!(plays(&app, "rings").await, 3);
}

/// Two processes accept the same batch while both turn the ring.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_counts_twice_while_the_ring_turns() {
    // Nobody else turns the ring here.
    let app = App::start(Settings { dedup_window_secs: 0, ..Settings::default() }).await;
    let one = Store::connect(&app.database.url, 4).await.expect("a database");
    let other = Store::connect(&app.database.url, 4).await.expect("a database");
    let mut now = Settings::default().now;
    for round in 0..150 {
        now += TimeDelta::from_std(WINDOW).expect("ten minutes");
        let id = Uuid::now_v7();
        let (first, second, third, turned, turned_too) = tokio::join!(
            enqueue(&one, Ring::Http, id, "turning"),
            enqueue(&other, Ring::Http, id, "turning"),
            enqueue(&one, Ring::Http, id, "turning"),
            one.rotate_batch_ids(Ring::Http, WINDOW, now),
            other.rotate_batch_ids(Ring::Http, WINDOW, now),
        );
        let new = [first, second, third].iter().filter(|outcome| **outcome == Enqueued::New).count();
        assert_eq!(new, 1, "round {round}");
        let turned = [turned.expect("a turn"), turned_too.expect("a turn")];
        assert_eq!(turned.iter().filter(|&&turned| turned).count(), 1, "round {round}");
        let late = enqueue(&other, Ring::Http, id, "turning").await;
        assert!(matches!(late, Enqueued::Duplicate(_)), "round {round}");
    }
    assert_eq!(plays(&app, "turning").await, 150);
}
