//! Nobody knows whether the COMMIT went through: the server says so and does not try again, and a retry under the same
//! id is counted once either way.

use std::time::{Duration, Instant};

use heatstrip::postgres::Store;
use reqwest::StatusCode;
use tokio_postgres::NoTls;
use uuid::Uuid;

use super::{
    accepted, heartbeat, plays,
    proxy::{Cut, Proxy},
    read, send_one, until,
};
use crate::support::{App, Settings, TestDatabase, database};

/// Nobody may wait longer than this for an answer, Postgres silent or not.
const MAX_ANSWER: Duration = Duration::from_secs(15);

async fn start() -> (Proxy, App) {
    let database = database().await;
    let proxy = Proxy::start(&database.url).await;
    let store = Store::connect(&proxy.url, 4).await.expect("a database");
    let url = database.url;
    let app = App::start_on(TestDatabase { url }, store, Settings::default()).await;
    (proxy, app)
}

/// Sends again until the batch is accepted, because a connection that breaks may still be handed out for a moment.
async fn retry(app: &App, id: Uuid, video_id: &str) -> serde_json::Value {
    let answer = tokio::sync::Mutex::new(None);
    until("an accepted retry", || async {
        let (status, sent) = send_one(app, id, video_id).await;
        *answer.lock().await = Some(sent);
        status == StatusCode::ACCEPTED
    })
    .await;
    answer.into_inner().expect("an answer")
}

fn says_what_to_do(answer: &serde_json::Value) {
    let text = answer["detail"].as_str().expect("text");
    assert!(text.contains("commit") && text.contains("batch_id"), "{text}");
}

#[tokio::test]
async fn a_commit_whose_answer_is_lost_counts_once() {
    let (proxy, app) = start().await;
    for committed in [true, false] {
        let id = Uuid::now_v7();
        let video = format!("lost-{committed}");
        proxy.cut(Cut { seen: id.as_bytes().to_vec(), committed });
        let (status, answer) = send_one(&app, id, &video).await;
        match committed {
            // The server looked the batch up, so it knows by now.
            true => assert_eq!((status, answer), (StatusCode::ACCEPTED, accepted(true))),
            false => {
                assert_eq!(status, 503);
                says_what_to_do(&answer);
            }
        }
        assert_eq!(app.store.queue_depth().await.expect("a depth").heartbeats, u64::from(committed));
        assert_eq!(retry(&app, id, &video).await, accepted(committed));
        assert_eq!(plays(&app, &video).await, 1);
    }
}

#[tokio::test]
async fn without_an_id_a_lost_commit_is_not_tried_again() {
    let (proxy, app) = start().await;
    for (committed, expected) in [(true, 1), (false, 0)] {
        let video = format!("unnamed-{committed}");
        proxy.cut(Cut { seen: video.clone().into_bytes(), committed });
        let (status, answer) = read(app.post(heartbeat(&video).to_string()).await).await;
        assert_eq!(status, 503);
        says_what_to_do(&answer);
        assert_eq!(plays(&app, &video).await, expected);
    }
}

/// A backend is ended amid its COMMIT, as by a server that shuts down.
#[tokio::test]
async fn a_backend_that_dies_at_commit_is_not_asked_again() {
    let app = App::start(Settings::default()).await;
    let (client, connection) = tokio_postgres::connect(&app.database.url, NoTls).await.expect("a connection");
    tokio::spawn(connection);
    // A sequence counts work that is rolled back too.
    client
        .batch_execute(
            "CREATE SEQUENCE attempts;
             CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS $$
             BEGIN
                 PERFORM nextval('attempts');
                 PERFORM pg_terminate_backend(pg_backend_pid());
                 RETURN NULL;
             END $$;
             CREATE CONSTRAINT TRIGGER die AFTER INSERT ON heartbeat_queue
                 DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION die()",
        )
        .await
        .expect("a trap");
    let id = Uuid::now_v7();
    let (status, answer) = send_one(&app, id, "dying").await;
    assert_eq!(status, 503);
    says_what_to_do(&answer);
    let attempts: i64 = client
        .query_one("SELECT last_value FROM attempts WHERE is_called", &[])
        .await
        .expect("an attempt")
        .get(0);
    assert_eq!(attempts, 1, "a COMMIT that was sent is never sent again");
    client.batch_execute("DROP TRIGGER die ON heartbeat_queue").await.expect("no more traps");
    assert_eq!(retry(&app, id, "dying").await, accepted(false));
    assert_eq!(retry(&app, id, "dying").await, accepted(true));
    assert_eq!(plays(&app, "dying").await, 1);
}

/// A network that swallows everything is the worst kind of away, as nobody is told.
#[tokio::test]
async fn a_postgres_that_falls_silent_leaves_nobody_waiting() {
    let (proxy, app) = start().await;
    assert_eq!(send_one(&app, Uuid::now_v7(), "silent").await.1, accepted(false));
    proxy.freeze(true);
    let id = Uuid::now_v7();
    let asked = Instant::now();
    let answers = tokio::time::timeout(MAX_ANSWER, async {
        tokio::join!(
            send_one(&app, id, "silent"),
            send_one(&app, id, "silent"),
            async { read(app.post(heartbeat("unnamed").to_string()).await).await },
            // This batch's salt was not needed before.
            async {
                let mut yesterday = heartbeat("unnamed");
                yesterday["at"] = "2026-11-20T10:00:00Z".into();
                read(app.post(yesterday.to_string()).await).await
            },
            async { read(app.get("/readyz").await).await },
        )
    });
    let (first, second, unnamed, yesterday, ready) = answers.await.expect("everybody is answered");
    for (status, answer) in [first, second, unnamed, yesterday, ready] {
        assert_eq!(status, 503, "{answer}");
    }
    assert!(asked.elapsed() < MAX_ANSWER);
    assert_eq!(app.get("/healthz").await.status(), 200);
    proxy.freeze(false);
    // A batch that hung may have gone through by now; it counts once.
    let app = &app;
    until("an accepted retry", || async { send_one(app, id, "silent").await.0 == StatusCode::ACCEPTED })
        .await;
    until("readiness tells the truth", || async { app.get("/readyz").await.status() == 200 }).await;
    assert_eq!(plays(app, "silent").await, 2);
    assert!(plays(app, "unnamed").await <= 1);
}
