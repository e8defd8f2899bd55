//! Nodes are killed and come back: what was answered 202 is counted once, and who does not need a node does not miss it.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use heatstrip::{postgres::Store, work::worker};
use rand::{Rng, RngExt};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::{
    has_citus,
    pair::{self, Pair},
};
use crate::support::{App, Cluster, chance, one_server, until};

const VIDEOS: u32 = 12;
/// How long a node may take to be back, and everything to be folded.
const LIMIT: Duration = Duration::from_secs(120);
/// A client that is refused tries again after this pause.
const RETRY: Duration = Duration::from_millis(50);
/// How often a node is killed; more by night.
const KILLS: &str = "HEATSTRIP_CITUS_KILLS";

/// How many lanes are being folded, and how much is queued.
const FOLDING: &str = "
    SELECT (SELECT count(*) FROM pg_locks
            WHERE locktype = 'advisory' AND classid::bigint = hashtext('heatstrip lane')::bigint & 4294967295) AS folds,
        (SELECT count(*) FROM heartbeat_queue) AS queued";

async fn start(cluster: &Cluster, name: &str) -> Pair {
    Pair {
        cluster: pair::start(cluster.database(name).await).await,
        one: pair::start(one_server().await).await,
    }
}

fn batch(rng: &mut impl Rng) -> Value {
    let heartbeats: Vec<Value> = (0..40)
        .map(|_| {
            let start = rng.random_range(0..300);
            json!({
                "video_id": format!("v{}", rng.random_range(0..VIDEOS)),
                "region": "JP",
                "viewer_id": format!("viewer {}", rng.random_range(0..200)),
                "start_sec": start,
                "end_sec": start + 9,
                "at": "2026-11-21T09:00:00Z",
                "view": rng.random_bool(0.2),
            })
        })
        .collect();
    json!({"batch_id": uuid::Uuid::new_v4(), "heartbeats": heartbeats})
}

/// The videos whose rows are on a node, by the directory of its socket.
async fn videos_on(app: &App, host: &str) -> BTreeSet<String> {
    let names: Vec<String> = (0..VIDEOS).map(|n| format!("v{n}")).collect();
    let rows = app
        .database
        .connect()
        .await
        .query(
            "SELECT v.name FROM unnest($1::text[]) AS v (name)
             JOIN pg_dist_placement AS p
                ON p.shardid = get_shard_id_for_distribution_column('video_heatmap_shards', v.name)
             JOIN pg_dist_node AS n ON n.groupid = p.groupid
             WHERE n.nodename = $2",
            &[&names, &host],
        )
        .await
        .expect("the placements");
    rows.iter().map(|row| row.get(0)).collect()
}

/// Folds until everything is folded; a node that is just back breaks a few connections.
async fn drain(store: &Store, app: &App) {
    until("everything is folded", LIMIT, async || {
        let outcome = worker::run_once(store, &app.clock).await;
        let depth = store.queue_depth().await.ok()?;
        (outcome.is_ok() && depth.heartbeats == 0).then_some(())
    })
    .await;
}

/// Waits until nothing is prepared on any node that waits for its second phase.
async fn settled(cluster: &Cluster, name: &str) {
    for node in &cluster.nodes {
        until("prepared transactions have ended", LIMIT, async || {
            let (client, connection) =
                tokio_postgres::connect(&node.url(name), tokio_postgres::NoTls).await.ok()?;
            tokio::spawn(connection);
            let query = "SELECT count(*) FROM pg_prepared_xacts WHERE database = current_database()";
            let left: i64 = client.query_one(query, &[]).await.ok()?.get(0);
            (left == 0).then_some(())
        })
        .await;
    }
}

async fn assert_same(pair: &Pair) {
    for video in 0..VIDEOS {
        pair.same(&format!("/v1/videos/v{video}/heatmap")).await;
        pair.same(&format!("/v1/videos/v{video}/views")).await;
        pair.same(&format!("/v1/videos/v{video}/audience?saw=0-60")).await;
    }
    pair.same("/v1/videos?limit=20").await;
}

#[tokio::test]
async fn a_node_is_lost_and_comes_back() {
    if !has_citus() {
        return;
    }
    let mut cluster = Cluster::start().await;
    let pair = start(&cluster, "lost").await;
    let mut rng = chance();
    let post = async |batch: &Value| {
        for app in [&pair.cluster, &pair.one] {
            let response = app.post(batch.to_string()).await;
            assert_eq!(response.status(), 202, "{}", response.text().await.expect("a body"));
        }
    };
    for _ in 0..5 {
        post(&batch(&mut rng)).await;
    }
    pair.fold().await;
    assert_same(&pair).await;

    let lost = videos_on(&pair.cluster, &cluster.host(1)).await;
    let alive = videos_on(&pair.cluster, &cluster.host(2)).await;
    assert!(!lost.is_empty() && !alive.is_empty() && lost.is_disjoint(&alive), "{lost:?} {alive:?}");
    cluster.nodes[1].stop_immediately().await.expect("a crash");
    // Heartbeats are accepted throughout.
    for _ in 0..5 {
        post(&batch(&mut rng)).await;
    }
    let (mut slowest, mut refused) = (Duration::ZERO, 0);
    for round in 0..3 {
        for video in &alive {
            let asked = Instant::now();
            pair.same(&format!("/v1/videos/{video}/heatmap")).await;
            slowest = slowest.max(asked.elapsed());
        }
        for video in &lost {
            let response = pair.cluster.get(&format!("/v1/videos/{video}/heatmap")).await;
            assert_eq!(response.status(), 503, "round {round}");
            assert!(response.headers().contains_key("retry-after"));
            refused += 1;
        }
    }
    println!("one node down: the slowest strip of the other took {slowest:?}, {refused} strips were refused");
    let failed = worker::run_once(&pair.cluster.store, &pair.cluster.clock).await;
    let queued = pair.cluster.store.queue_depth().await.expect("the depth").heartbeats;
    assert!(failed.is_err() && queued > 0, "lanes that touch the node wait: {failed:?}, {queued} queued");

    cluster.nodes[1].restart().await.expect("it comes back");
    drain(&pair.cluster.store, &pair.cluster).await;
    pair.one.fold().await;
    settled(&cluster, "lost").await;
    assert_same(&pair).await;
}

/// Whoever is killed, in turns: the coordinator amid folds, and the workers.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_of_the_cluster_is_killed_everything_counts_once() {
    if !has_citus() {
        return;
    }
    let mut cluster = Cluster::start().await;
    let pair = start(&cluster, "killed").await;
    let mut rng = chance();
    let (accepted, sent) = (Arc::new(AtomicU64::new(0)), Arc::new(Mutex::new(Vec::new())));
    let (stop_posting, stop_working) = (CancellationToken::new(), CancellationToken::new());
    let posting = {
        let (accepted, sent, stop) = (Arc::clone(&accepted), Arc::clone(&sent), stop_posting.clone());
        let (client, url) = (pair.cluster.client.clone(), format!("{}/v1/heartbeats", pair.cluster.url));
        let mut rng = chance();
        async move {
            while !stop.is_cancelled() {
                let batch = batch(&mut rng);
                sent.lock().expect("no panic").push(batch.clone());
                // With its id it may be sent again until it is accepted.
                let deadline = Instant::now() + LIMIT;
                loop {
                    let request = client.post(&url).header("content-type", "application/json");
                    let response = request.body(batch.to_string()).send().await.expect("an answer");
                    if response.status() == 202 {
                        break;
                    }
                    assert!(Instant::now() < deadline, "it is never accepted: {}", response.status());
                    tokio::time::sleep(RETRY).await;
                }
                accepted.fetch_add(1, Ordering::Relaxed);
            }
        }
    };
    let posting = tokio::spawn(posting);
    let workers: Vec<_> = (0..2)
        .map(|_| {
            let (queue, clock) = (pair.cluster.queue.clone(), pair.cluster.clock.clone());
            tokio::spawn(worker::run(queue, clock, Duration::ZERO, stop_working.clone()))
        })
        .collect();

    let kills: usize = std::env::var(KILLS).map_or(6, |kills| kills.parse().expect("a number"));
    let mut waiting = 0;
    for kill in 0..kills {
        // At a moment that chance finds.
        let next = accepted.load(Ordering::Relaxed) + rng.random_range(3..12);
        until("batches are accepted", LIMIT, async || {
            (accepted.load(Ordering::Relaxed) >= next).then_some(())
        })
        .await;
        let sql = pair.cluster.database.connect().await;
        let queued = until("somebody folds", LIMIT, async || {
            let row = sql.query_one(FOLDING, &[]).await.ok()?;
            (row.get::<_, i64>("folds") > 0).then(|| row.get::<_, i64>("queued"))
        })
        .await;
        waiting += u32::from(queued > 0);
        // The coordinator every other time.
        let victim = if kill % 2 == 0 { 0 } else { 1 + kill / 2 % 2 };
        cluster.nodes[victim].stop_immediately().await.expect("a crash");
        cluster.nodes[victim].restart().await.expect("it comes back");
    }
    stop_posting.cancel();
    posting.await.expect("everything is accepted in the end");
    drain(&pair.cluster.store, &pair.cluster).await;
    stop_working.cancel();
    for worker in workers {
        worker.await.expect("no panic");
    }
    println!("{kills} kills, each while somebody folded, {waiting} of them with something queued");
    assert!(waiting > 0, "nothing could be lost");
    settled(&cluster, "killed").await;

    let sent = std::mem::take(&mut *sent.lock().expect("no panic"));
    for batch in &sent {
        // In the same order, as it decides which views count.
        assert_eq!(pair.one.post(batch.to_string()).await.status(), 202);
    }
    pair.one.fold().await;
    assert_same(&pair).await;
}
