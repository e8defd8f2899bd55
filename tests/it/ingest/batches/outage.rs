//! Postgres goes away and comes back: nothing is lost that was accepted, nothing counts twice.

use std::time::{Duration, Instant};

use heatstrip::postgres::{
    Store,
    local::{Lifetime, LocalPostgres},
    migrate::migrate,
};
use reqwest::StatusCode;
use serde_json::json;
use uuid::Uuid;

use super::{IdIn, accepted, batch, heartbeat, plays, read, send, send_one, until};
use crate::support::{App, Settings, TestDatabase};

/// A client must hear within this time that Postgres is away.
const SOON: Duration = Duration::from_secs(5);

/// Starts a server of its own, as the server of the other tests must not go away.
async fn start() -> (LocalPostgres, App) {
    let data_dir = std::env::temp_dir().join(format!("heatstrip-it-{}", Uuid::new_v4().simple()));
    let server = LocalPostgres::start(&data_dir, Lifetime::Process).await.expect("a server");
    server.create_database("away", None).await.expect("a database");
    let url = server.url("away");
    migrate(&url, 16).await.expect("a schema");
    let store = Store::connect(&url, 8).await.expect("a migrated database");
    let app = App::start_on(TestDatabase { url }, store, Settings::default()).await;
    (server, app)
}

async fn timed<T>(what: &str, answer: impl Future<Output = T>) -> T {
    let asked = Instant::now();
    let answer = answer.await;
    assert!(asked.elapsed() < SOON, "{what} took {:?}", asked.elapsed());
    answer
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_postgres_is_away_clients_are_told_to_come_back() {
    let (mut server, app) = start().await;
    let (before, during) = (Uuid::now_v7(), Uuid::now_v7());
    assert_eq!(send_one(&app, before, "before").await.1, accepted(false));
    assert_eq!(app.get("/readyz").await.status(), 200);
    server.stop_immediately().await.expect("it stops");

    for _ in 0..5 {
        let (status, answer) = timed("a post", send_one(&app, during, "during")).await;
        assert_eq!(status, 503, "{answer}");
        // Nobody can say whether it was accepted before.
        let (status, _) = timed("a retry", send_one(&app, before, "before")).await;
        assert_eq!(status, 503);
    }
    assert_eq!(timed("liveness", app.get("/healthz")).await.status(), 200);
    // Probes may be told what was seen a second ago.
    until("readiness tells the truth", || async {
        timed("readiness", app.get("/readyz")).await.status() == 503
    })
    .await;
    for path in ["/v1/videos", "/v1/videos/before/heatmap"] {
        let (status, _) = read(timed(path, app.get(path)).await).await;
        assert_eq!(status, 503, "{path}");
    }

    // More heartbeats than may ever wait are sent: each batch is turned away and leaves its room to the next.
    let many = json!(vec![heartbeat("crowd"); 5_000]).to_string();
    let posts = (0..60).map(|_| app.post(many.clone()));
    for response in futures_util::future::join_all(posts).await {
        assert_eq!(read(response).await.0, 503);
    }

    server.restart().await.expect("it starts");
    let app = &app;
    until("an accepted retry", || async {
        match send_one(app, during, "during").await {
            (StatusCode::SERVICE_UNAVAILABLE, _) => false,
            answer => {
                assert_eq!(answer, (StatusCode::ACCEPTED, accepted(false)));
                true
            }
        }
    })
    .await;
    until("readiness tells the truth", || async { app.get("/readyz").await.status() == 200 }).await;
    for (id, video) in [(before, "before"), (during, "during")] {
        assert_eq!(send_one(app, id, video).await.1, accepted(true));
        assert_eq!(plays(app, video).await, 1);
    }
    let (status, _) =
        send(batch(app, Uuid::now_v7(), IdIn::Envelope, &json!(vec![heartbeat("crowd"); 5_000]))).await;
    assert_eq!(status, 202, "there is room again");
    assert_eq!(plays(app, "crowd").await, 5_000);
    server.stop().await.expect("it stops");
}

/// Clients never stop sending, each batch until it is accepted, while the server crashes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crash_amid_traffic_loses_nothing_and_doubles_nothing() {
    const CLIENTS: usize = 6;
    let (mut server, app) = start().await;
    let app = &app;
    let stop = tokio_util::sync::CancellationToken::new();
    let client = || async {
        let (mut sent, mut unsure) = (0_u64, 0_u64);
        while !stop.is_cancelled() {
            let id = Uuid::now_v7();
            let mut tries = 0;
            until("an accepted batch", || {
                tries += 1;
                async move {
                    let (status, answer) = send_one(app, id, "traffic").await;
                    assert!([202, 503].contains(&status.as_u16()), "{answer}");
                    status == StatusCode::ACCEPTED
                }
            })
            .await;
            sent += 1;
            unsure += u64::from(tries > 1);
        }
        (sent, unsure)
    };
    let clients = futures_util::future::join_all((0..CLIENTS).map(|_| client()));
    let crashes = async {
        // The server crashes amid the traffic: some batches are through, before and after.
        let traffic = |reached| {
            until("traffic", move || async move {
                app.store.queue_depth().await.is_ok_and(|depth| depth.heartbeats >= reached)
            })
        };
        traffic(200).await;
        server.stop_immediately().await.expect("it stops");
        server.restart().await.expect("it starts");
        traffic(300).await;
        stop.cancel();
    };
    let (outcomes, ()) = tokio::join!(clients, crashes);
    let sent: u64 = outcomes.iter().map(|outcome| outcome.0).sum();
    let unsure: u64 = outcomes.iter().map(|outcome| outcome.1).sum();
    assert!(sent >= 300 && unsure >= 1, "{sent} sent, {unsure} of them more than once");
    assert_eq!(plays(app, "traffic").await, sent);
    server.stop().await.expect("it stops");
}
