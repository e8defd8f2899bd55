//! How long a batch waits for its commit while nobody reads, while `pg_dump` runs, and while somebody holds an old snapshot
//! through three million rows of the queue. Prints the 50th and the 99th percentile of each, and their ratios to the first.
//!
//! ```sh
//! cargo run --example intake_beside_readers -- 20      # seconds of each
//! ```

use std::{
    collections::BTreeMap,
    path::Path,
    process::{Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use chrono::Utc;
use heatstrip::{
    clock::Clock,
    events::{hashed::HashedHeartbeat, lane::lane},
    ingest::{hash::Hashed, intake::Intake},
    postgres::{
        Store,
        local::{Lifetime, LocalPostgres},
        migrate::migrate,
    },
    work::{upkeep, worker},
};
use tokio_postgres::{Client, NoTls};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// Batches that are on their way at once.
const SENDERS: usize = 8;
/// Heartbeats of a batch.
const BATCH: usize = 50;
/// A batch of each sender begins so often: a steady load, not as much as there is room for.
const PERIOD: Duration = Duration::from_millis(20);
/// Batch ids are remembered so long, so that their ring turns often.
const WINDOW: Duration = Duration::from_secs(5);
/// Rows of the queue that are folded under the old snapshot.
const ROWS: i64 = 3_000_000;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let secs = std::env::args().nth(1).map_or(Ok(20), |text| text.parse())?;
    let phase = Duration::from_secs(secs);
    let data_dir = std::env::temp_dir().join(format!("heatstrip-readers-{}", std::process::id()));
    let postgres = LocalPostgres::start(&data_dir, Lifetime::Process).await?;
    postgres.create_database("bench", None).await?;
    let url = postgres.url("bench");
    migrate(&url, 16).await?;
    let sql = connect(&url).await?;
    // Something to dump for a while.
    sql.batch_execute(
        "CREATE TABLE ballast AS SELECT n, md5(n::text) || md5((-n)::text) AS text FROM generate_series(1, 2000000) n",
    )
    .await?;
    let store = Store::connect(&url, 8).await?;
    let clock = Clock::system();
    let intake = Intake::start(store.clone(), clock.clone(), u64::MAX);
    let stop = CancellationToken::new();
    tokio::spawn(upkeep::run(
        store.clone().into(),
        clock.clone(),
        intake.clone(),
        Some(WINDOW),
        stop.clone(),
    ));
    let work = Store::connect(&url, 4).await?;
    tokio::spawn(worker::run(work.clone().into(), clock.clone(), Duration::from_secs(1), stop.clone()));
    tokio::spawn(worker::tidy_queue(work.into(), stop.clone()));

    measure(&intake, &store, Duration::from_secs(5)).await;
    let alone = measure(&intake, &store, phase).await;
    say("nobody reads", alone, alone);

    let dumping = Arc::new(AtomicBool::new(true));
    let dump = {
        let (dumping, url) = (Arc::clone(&dumping), url.clone());
        let bin: String =
            sql.query_one("SELECT setting FROM pg_config WHERE name = 'BINDIR'", &[]).await?.get(0);
        std::thread::spawn(move || {
            let mut dumps = 0;
            while dumping.load(Ordering::Relaxed) {
                let mut command = Command::new(Path::new(&bin).join("pg_dump"));
                let status = command.arg(&url).stdout(Stdio::null()).status().expect("pg_dump runs");
                assert!(status.success(), "pg_dump failed");
                dumps += 1;
            }
            dumps
        })
    };
    let dumped = measure(&intake, &store, phase).await;
    dumping.store(false, Ordering::Relaxed);
    println!("{} dumps", dump.join().expect("no panic"));
    say("pg_dump runs", dumped, alone);
    let again = measure(&intake, &store, phase).await;
    say("nobody reads, again", again, alone);

    let reader = connect(&url).await?;
    reader.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM engine").await?;
    let started = Instant::now();
    for _ in 0..30 {
        // In one transaction, so that no worker sees them: only how many there were matters.
        sql.batch_execute(&format!(
            "BEGIN;
             INSERT INTO heartbeat_queue (lane, enqueued_at, heartbeats, watched_secs, payload)
             SELECT n % 16, now(), 1, 10, '\\x00' FROM generate_series(1, {}) AS n;
             DELETE FROM heartbeat_queue WHERE payload = '\\x00';
             COMMIT",
            ROWS / 30
        ))
        .await?;
    }
    println!(
        "{ROWS} rows were put in and taken out under a snapshot in {:.0} s",
        started.elapsed().as_secs_f64()
    );
    tokio::time::sleep(Duration::from_secs(20)).await;
    let held = measure(&intake, &store, phase).await;
    say("a snapshot is held", held, alone);
    let dead: i64 = sql
        .query_one("SELECT n_dead_tup FROM pg_stat_user_tables WHERE relname = 'heartbeat_queue'", &[])
        .await?
        .get(0);
    println!("{dead} dead rows in the queue");
    stop.cancel();
    postgres.stop().await?;
    Ok(())
}

/// What a batch waited for its commit, and the sampler for the queue's depth.
#[derive(Clone, Copy)]
struct Waited {
    median: Duration,
    p99: Duration,
    batches: usize,
    depth: Duration,
}

fn say(what: &str, waited: Waited, alone: Waited) {
    println!(
        "{what}: {} batches, 50 % within {:.1} ms, 99 % within {:.1} ms ({:.2} times as long); the queue's depth in {:.1} ms",
        waited.batches,
        waited.median.as_secs_f64() * 1e3,
        waited.p99.as_secs_f64() * 1e3,
        waited.p99.as_secs_f64() / alone.p99.as_secs_f64(),
        waited.depth.as_secs_f64() * 1e3,
    );
}

async fn measure(intake: &Intake, store: &Store, phase: Duration) -> Waited {
    let ends = Instant::now() + phase;
    let mut senders = tokio::task::JoinSet::new();
    for sender in 0..SENDERS {
        let (intake, lanes) = (intake.clone(), store.lanes());
        senders.spawn(async move {
            let mut ticks = tokio::time::interval(PERIOD);
            let mut waited = Vec::new();
            let mut number = 0;
            while Instant::now() < ends {
                ticks.tick().await;
                number += 1;
                let hashed = batch(sender, number, lanes);
                let began = Instant::now();
                intake.submit(Some(Uuid::now_v7()), hashed).await.expect("it is durable");
                waited.push(began.elapsed());
            }
            waited
        });
    }
    let mut waited: Vec<Duration> = senders.join_all().await.into_iter().flatten().collect();
    waited.sort_unstable();
    let began = Instant::now();
    store.queue_depth().await.expect("a depth");
    let at = |share: f64| waited[((waited.len() - 1) as f64 * share) as usize];
    Waited { median: at(0.5), p99: at(0.99), batches: waited.len(), depth: began.elapsed() }
}

/// Heartbeats of a few videos.
fn batch(sender: usize, number: usize, lanes: u16) -> Hashed {
    let mut by_lane: BTreeMap<u16, heatstrip::events::hashed::HashedHeartbeats> = BTreeMap::new();
    for beat in 0..BATCH {
        let video = format!("video-{}", (sender * 31 + number * 7 + beat) % 200);
        let heartbeat = HashedHeartbeat {
            video_id: &video,
            region: "JP",
            captured_on: Utc::now().date_naive(),
            start_sec: (number % 60) as i32 * 10,
            end_sec: (number % 60) as i32 * 10 + 9,
            viewer_hash: (sender * 1_000 + beat) as i64,
        };
        by_lane.entry(lane(&video, lanes)).or_default().push(&heartbeat);
    }
    Hashed { accepted: BATCH, rejected: Vec::new(), lanes: by_lane }
}

async fn connect(url: &str) -> anyhow::Result<Client> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}
