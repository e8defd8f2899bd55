//! The API, the workers and the archive are killed while views arrive, and every accepted view counts exactly once: without a
//! window each view counts, so that one that is folded twice or lost shows in the total.

use std::{
    collections::{BTreeMap, BTreeSet},
    os::unix::process::ExitStatusExt,
    process::Stdio,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use heatstrip::{import::replay, postgres::Store, work::reconcile::reconcile};
use rand::{RngExt, SeedableRng, seq::SliceRandom};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio_postgres::Client;
use uuid::Uuid;

use super::{
    GRACE, moment, setting,
    world::{World, connect, work},
};
use crate::support::{heatstrip, until};

/// Blows unless `HEATSTRIP_CRASH_CYCLES` says otherwise: as many of each kind.
const CYCLES: u64 = 9;
const CLIENTS: u64 = 4;
const VIDEOS: u32 = 30;
const VIEWERS: u32 = 400;
const BATCH: usize = 40;
/// Rows of a time that the archive takes, brought in before each of its deaths.
const OLD_ROWS: i64 = 6_000;
const DRAIN: Duration = Duration::from_secs(120);

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Blow {
    Api,
    Worker,
    Archive,
}

#[derive(Default)]
struct Load {
    stop: AtomicBool,
    in_flight: AtomicUsize,
    batches: AtomicU64,
    retries: AtomicU64,
}

/// Views and viewers of each video that were accepted.
type Accepted = BTreeMap<u32, (i64, BTreeSet<u32>)>;

/// Sends batches until told to stop, each until it is accepted; tells what must have come of them.
async fn send(load: Arc<Load>, url: String, mut rng: ChaCha8Rng) -> Accepted {
    let client = replay::client();
    let mut accepted = Accepted::new();
    while !load.stop.load(Ordering::Relaxed) {
        let views: Vec<(u32, u32)> =
            (0..BATCH).map(|_| (rng.random_range(0..VIDEOS), rng.random_range(0..VIEWERS))).collect();
        let elements: Vec<Value> = views
            .iter()
            .map(|(video, viewer)| json!({"video_id": format!("v{video}"), "viewer_id": format!("viewer {viewer}")}))
            .collect();
        let body = json!({"batch_id": Uuid::new_v4(), "views": elements}).to_string();
        let began = Instant::now();
        loop {
            load.in_flight.fetch_add(1, Ordering::Relaxed);
            let sent =
                client.post(format!("{url}/v1/views")).body(body.clone()).timeout(Duration::from_secs(5));
            let answer = sent.send().await;
            load.in_flight.fetch_sub(1, Ordering::Relaxed);
            if answer.is_ok_and(|answer| answer.status() == 202) {
                break;
            }
            assert!(began.elapsed() < DRAIN, "a batch is never accepted");
            load.retries.fetch_add(1, Ordering::Relaxed);
            tokio::time::sleep(Duration::from_millis(rng.random_range(5..50))).await;
        }
        load.batches.fetch_add(1, Ordering::Relaxed);
        for (video, viewer) in views {
            let of_video = accepted.entry(video).or_default();
            of_video.0 += 1;
            of_video.1.insert(viewer);
        }
    }
    accepted
}

async fn number(client: &Client, query: &str) -> i64 {
    client.query_one(query, &[]).await.expect("a number").get(0)
}

/// Brings in rows of last month, of the videos that are viewed, and kills an archive that has moved some of them; returns how
/// many it had moved. One that was done too soon is followed by another.
async fn kill_archive(world: &World, client: &Client, round: i64) -> i64 {
    let mut again = 0;
    until("an archive is killed amid its pieces", DRAIN, async || {
        again += 1;
        // As if they had come then: each of a viewer of its own, with the totals that count it.
        client
            .batch_execute(&format!(
                "BEGIN;
                 SELECT FROM view_totals WHERE video_id LIKE 'v%' ORDER BY video_id FOR UPDATE;
                 INSERT INTO recent_views (video_id, viewer, epoch, views, region, first_at, last_at, first_counted_at,
                     last_counted_at, last_day)
                 SELECT 'v' || n % {VIDEOS}, n + {round} * 1000000 + {again} * 100000, '2026-01-01', 1, 'ZZ', at, at, at, at, at::date
                 FROM generate_series(1, {OLD_ROWS}) AS n, (SELECT now() - interval '40 days' AS at) AS old;
                 UPDATE view_totals SET recent_viewers = recent_viewers + {OLD_ROWS} / {VIDEOS} WHERE video_id LIKE 'v%';
                 COMMIT"
            ))
            .await
            .expect("old rows");
        let archived = "SELECT sum(archived_viewers)::bigint FROM view_totals";
        let before = number(client, archived).await;
        let mut job = heatstrip(&["compact"]);
        job.env("DATABASE_URL", &world.database_url).stdout(Stdio::null()).stderr(Stdio::null());
        let mut job = job.spawn().expect("the binary is there");
        while job.try_wait().expect("a child").is_none() {
            if number(client, archived).await > before {
                job.start_kill().expect("a signal");
                let status = job.wait().await.expect("a status");
                let moved = number(client, archived).await - before;
                let left = number(client, "SELECT count(*) FROM recent_views WHERE last_day < current_date - 30").await;
                return (status.signal() == Some(9) && left > 0).then_some(moved);
            }
        }
        None
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_accepted_view_counts_once_whoever_is_killed() {
    let cycles = setting("HEATSTRIP_CRASH_CYCLES").unwrap_or(CYCLES) as usize;
    let seed = setting("HEATSTRIP_CRASH_SEED").unwrap_or_else(rand::random);
    println!("HEATSTRIP_CRASH_SEED={seed}");
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut world = World::start(2).await;
    let client = connect(&world.database_url).await;
    client.batch_execute("UPDATE view_rule SET window_mins = 0").await.expect("no window");
    let load = Arc::<Load>::default();
    let mut tasks = JoinSet::new();
    for number in 0..CLIENTS {
        let rng = ChaCha8Rng::seed_from_u64(seed ^ (number + 1));
        tasks.spawn(send(Arc::clone(&load), world.url.clone(), rng));
    }
    until("every video is viewed", DRAIN, async || {
        (number(&client, "SELECT count(*) FROM view_totals").await == i64::from(VIDEOS)).then_some(())
    })
    .await;

    let kinds = [Blow::Api, Blow::Worker, Blow::Archive];
    let mut blows: Vec<Blow> = kinds.into_iter().cycle().take(cycles).collect();
    blows.shuffle(&mut rng);
    let (mut amid_requests, mut amid_steps, mut archived) = (0, 0, Vec::new());
    for (round, blow) in (1..).zip(blows) {
        let before = load.batches.load(Ordering::Relaxed);
        match blow {
            Blow::Api => {
                moment(&mut rng, 400).await;
                amid_requests += u32::from(load.in_flight.load(Ordering::Relaxed) > 0);
                world.api.kill().await;
                world.restart_api();
            }
            Blow::Worker => {
                let worker = rng.random_range(0..world.workers.len());
                // A step holds a lane while it folds: that is what is lost.
                until("a lane is folded", DRAIN, async || (work(&client).await.steps > 0).then_some(()))
                    .await;
                amid_steps += u32::from(work(&client).await.steps > 0);
                world.workers[worker].kill().await;
                world.restart_worker(worker).await;
            }
            Blow::Archive => archived.push(kill_archive(&world, &client, round).await),
        }
        until("views are accepted again", DRAIN, async || {
            (load.batches.load(Ordering::Relaxed) > before).then_some(())
        })
        .await;
    }
    load.stop.store(true, Ordering::Relaxed);
    let mut accepted = Accepted::new();
    for of_client in tasks.join_all().await {
        for (video, (views, viewers)) in of_client {
            let of_video = accepted.entry(video).or_default();
            of_video.0 += views;
            of_video.1.extend(viewers);
        }
    }
    world.drain(DRAIN).await;
    let mut night = heatstrip(&["compact"]);
    let night = night.env("DATABASE_URL", &world.database_url).output().await.expect("the binary");
    assert!(night.status.success(), "{}", String::from_utf8_lossy(&night.stderr));
    println!(
        "{} batches, {} retries, {cycles} blows: {amid_requests} amid requests, {amid_steps} amid steps, archives died after {archived:?} rows",
        load.batches.load(Ordering::Relaxed),
        load.retries.load(Ordering::Relaxed),
    );

    for (video, (views, viewers)) in &accepted {
        let row = client
            .query_one(
                "SELECT t.views, t.recent_viewers, t.lifetime_viewers, sum(r.views)::bigint, count(*)
                 FROM view_totals AS t JOIN recent_views AS r USING (video_id)
                 WHERE t.video_id = $1 GROUP BY t.video_id",
                &[&format!("v{video}")],
            )
            .await
            .expect("its row");
        let found: Vec<i64> = (0..5).map(|column| row.get(column)).collect();
        let people = viewers.len() as i64;
        assert_eq!((found[0], found[1], found[3], found[4]), (*views, people, *views, people), "v{video}");
        if people <= 320 {
            assert_eq!(found[2], people, "v{video}");
        }
    }
    for table in ["heartbeat_queue", "heartbeat_queue_failed"] {
        assert_eq!(number(&client, &format!("SELECT count(*) FROM {table}")).await, 0, "{table}");
    }
    let store = Store::connect(&world.database_url, 2).await.expect("a store");
    let drifts = reconcile(&store, &heatstrip::clock::Clock::system()).await.expect("compared");
    assert!(drifts.iter().all(|drift| drift.found() == 0), "{drifts:?}");
    // A test whose blows fell on an idle system would show nothing.
    assert!(load.retries.load(Ordering::Relaxed) > 0, "no client noticed anything");
    assert!(amid_requests > 0 && amid_steps > 0, "{amid_requests} amid requests, {amid_steps} amid steps");
    assert!(archived.iter().all(|moved| *moved > 0), "{archived:?}");
    world.api.terminate(GRACE).await;
    world.postgres.stop().await.expect("the server stops");
}
