//! Processes and the database are killed under load, and every accepted heartbeat counts exactly once.
//!
//! `HEATSTRIP_CRASH_CYCLES` sets how many blows there are, `HEATSTRIP_CRASH_SEED` repeats a run's decisions.

mod hosts;
mod load;
mod nats;
mod sampled;
mod stuck;
mod upgrade;
mod views;
mod widest;
pub mod world;

use std::{
    collections::BTreeMap,
    os::unix::process::ExitStatusExt,
    path::Path,
    process::Stdio,
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use chrono::NaiveDate;
use heatstrip::{
    events::heartbeat::ViewerId,
    import::replay,
    sketch,
    viewers::hash::{Salt, viewer_hash},
};
use rand::{RngExt, SeedableRng, seq::SliceRandom};
use rand_chacha::ChaCha8Rng;
use serde_json::Value;
use tokio_postgres::Client;

use crate::support::{database, heatstrip, until};
use load::{Clients, Key, Load, Second, VIDEO_CANARY, VIEWER_CANARY, viewer_id};
use world::{World, connect, is_in_files, pieces, start, work};

const CYCLES: usize = 20;
/// Sent at least, even if the blows took less long.
const MIN_HEARTBEATS: u64 = 20_000;
/// What an orchestrator grants a process that it asked to stop.
const GRACE: Duration = Duration::from_secs(10);
/// How long it may take until heartbeats are accepted again once everything runs again.
const RECOVERY: Duration = Duration::from_secs(10);
/// How long the queue may take to empty.
const DRAIN: Duration = Duration::from_secs(120);

/// What happens to the system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Blow {
    KillApi,
    KillWorker,
    KillCompaction,
    CrashPostgres,
    TerminateApi,
    TerminateWorker,
}

impl Blow {
    const ALL: [Blow; 6] = [
        Blow::KillApi,
        Blow::KillWorker,
        Blow::KillCompaction,
        Blow::CrashPostgres,
        Blow::TerminateApi,
        Blow::TerminateWorker,
    ];
}

/// What was seen along the way.
#[derive(Debug, Default)]
struct Seen {
    blows: BTreeMap<Blow, u32>,
    amid_requests: u32,
    amid_queue: u32,
    amid_steps: u32,
    slowest_recovery: BTreeMap<Blow, Duration>,
    slowest_end: Duration,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_accepted_heartbeat_counts_once_whoever_is_killed() {
    let cycles = setting("HEATSTRIP_CRASH_CYCLES").unwrap_or(CYCLES as u64) as usize;
    let seed = setting("HEATSTRIP_CRASH_SEED").unwrap_or_else(rand::random);
    println!("HEATSTRIP_CRASH_SEED={seed}");
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let began = Instant::now();
    let mut world = World::start(2).await;
    let mut clients = Clients::start(&world.url, seed);
    until_accepted(&clients.load).await;

    let mut seen = Seen::default();
    // Shuffled rather than drawn: each kind happens equally often.
    let mut blows: Vec<Blow> = Blow::ALL.iter().copied().cycle().take(cycles).collect();
    blows.shuffle(&mut rng);
    for blow in blows {
        strike(blow, &mut world, &clients.load, &mut seen, &mut rng).await;
        clients.assert_run();
        world.assert_runs();
    }

    // However slow the machine: enough to mean something.
    until("enough is accepted", DRAIN, async || {
        (clients.load.heartbeats.load(Ordering::Relaxed) > MIN_HEARTBEATS).then_some(())
    })
    .await;

    // Everybody at once, under load: in good order, and again nothing is lost.
    let World { api, workers, .. } = &mut world;
    let (first, second) = workers.split_at_mut(1);
    let ends = tokio::join!(api.terminate(GRACE), first[0].terminate(GRACE), second[0].terminate(GRACE));
    seen.slowest_end = seen.slowest_end.max(ends.0).max(ends.1).max(ends.2);
    world.restart_api();
    let load = std::sync::Arc::clone(&clients.load);
    let oracle = clients.finish().await;
    let sent = began.elapsed();
    world.drain(DRAIN).await;

    let heartbeats = load.heartbeats.load(Ordering::Relaxed);
    println!(
        "{heartbeats} heartbeats in {} batches, {} retries, {} of them duplicates; {seen:#?}",
        load.batches.load(Ordering::Relaxed),
        load.retries.load(Ordering::Relaxed),
        load.duplicates.load(Ordering::Relaxed),
    );
    let client = connect(&world.database_url).await;
    assert_counted_once(&client, &oracle).await;
    assert_served(&world.url, &oracle).await;
    world.api.terminate(GRACE).await;
    assert_private(&world, &client).await;
    println!("sent for {sent:?}, everything took {:?}", began.elapsed());

    // A test whose blows fell on an idle system would show nothing.
    assert!(load.retries.load(Ordering::Relaxed) > 0, "no client noticed anything");
    let blows = cycles as u32;
    assert!(seen.amid_requests * 2 > blows, "too few blows amid requests: {seen:?}");
    assert!(seen.amid_queue * 4 > blows, "too few blows amid a queue: {seen:?}");
    assert!(seen.amid_steps > 0, "no blow amid a step: {seen:?}");
    world.postgres.stop().await.expect("the server stops");
}

/// One blow at a random moment; returns once heartbeats are accepted again.
async fn strike(blow: Blow, world: &mut World, load: &Load, seen: &mut Seen, rng: &mut ChaCha8Rng) {
    let worker = rng.random_range(0..world.workers.len());
    let client = connect(&world.database_url).await;
    if blow == Blow::KillCompaction {
        kill_compaction(world, &client).await;
    }
    moment(rng, 600).await;
    let at_stake = work(&client).await;
    let in_flight = load.in_flight.load(Ordering::Relaxed);
    match blow {
        Blow::KillApi => world.api.kill().await,
        Blow::KillWorker => world.workers[worker].kill().await,
        Blow::KillCompaction => {}
        Blow::CrashPostgres => world.postgres.stop_immediately().await.expect("it stops"),
        Blow::TerminateApi => seen.slowest_end = seen.slowest_end.max(world.api.terminate(GRACE).await),
        Blow::TerminateWorker => {
            let took = world.workers[worker].terminate(GRACE).await;
            seen.slowest_end = seen.slowest_end.max(took);
        }
    }
    match blow {
        Blow::KillApi | Blow::TerminateApi => world.restart_api(),
        Blow::KillWorker | Blow::TerminateWorker => world.restart_worker(worker).await,
        Blow::CrashPostgres => world.postgres.restart().await.expect("it recovers"),
        Blow::KillCompaction => {}
    }
    let recovery = until_accepted(load).await;
    let slowest = seen.slowest_recovery.entry(blow).or_default();
    *slowest = recovery.max(*slowest);
    *seen.blows.entry(blow).or_default() += 1;
    seen.amid_requests += u32::from(in_flight > 0);
    seen.amid_queue += u32::from(at_stake.queued > 0);
    seen.amid_steps += u32::from(at_stake.steps > 0);
}

/// Compacts the open days, under the folds that append to them, and kills the job while it moves a piece: it holds the
/// locks of its videos then. A job that was done too soon is followed by another.
async fn kill_compaction(world: &World, client: &Client) {
    let today = chrono::Utc::now().date_naive().to_string();
    until("a compaction is killed amid a piece", GRACE, async || {
        let mut job = heatstrip(&["compact", "--through", &today]);
        job.env("DATABASE_URL", &world.database_url).stdout(Stdio::null()).stderr(Stdio::null());
        let mut job = job.spawn().expect("the binary is there");
        while job.try_wait().expect("a child").is_none() {
            if pieces(client).await > 0 {
                job.start_kill().expect("a signal");
                let status = job.wait().await.expect("a status");
                return (status.signal() == Some(9)).then_some(());
            }
        }
        None
    })
    .await;
}

/// A random short moment: the one place where the tests sleep.
async fn moment(rng: &mut ChaCha8Rng, max_millis: u64) {
    tokio::time::sleep(Duration::from_millis(rng.random_range(0..=max_millis))).await;
}

/// Waits for the next batch to be accepted; returns how long that took.
async fn until_accepted(load: &Load) -> Duration {
    let (began, before) = (Instant::now(), load.batches.load(Ordering::Relaxed));
    until("heartbeats are accepted again", RECOVERY, async || {
        (load.batches.load(Ordering::Relaxed) > before).then_some(())
    })
    .await;
    began.elapsed()
}

fn setting(name: &str) -> Option<u64> {
    let value = std::env::var(name).ok()?;
    Some(value.parse().unwrap_or_else(|_| panic!("{name} is to be a number")))
}

/// The tables hold what was accepted: each second's plays, and each second's viewers as a set.
async fn assert_counted_once(client: &Client, oracle: &BTreeMap<Key, Second>) {
    for table in ["heartbeat_queue", "heartbeat_queue_failed"] {
        let rows: i64 =
            client.query_one(&format!("SELECT count(*) FROM {table}"), &[]).await.expect("a count").get(0);
        assert_eq!(rows, 0, "{table} is empty");
    }
    let mut salts: BTreeMap<NaiveDate, Salt> = BTreeMap::new();
    for day in oracle.keys().map(|key| key.1) {
        if let std::collections::btree_map::Entry::Vacant(entry) = salts.entry(day) {
            let query = "SELECT salt FROM salt_epochs WHERE $1 BETWEEN first_day AND last_day";
            let salt: Vec<u8> = client.query_one(query, &[&day]).await.expect("its salt").get(0);
            entry.insert(Salt::new(salt));
        }
    }
    let rows = client
        .query(
            "SELECT video_id, captured_on, region, bucket_sec, sum(plays)::bigint AS plays,
                 hll_send(hll_union_agg(viewers)) AS viewers
             FROM video_heatmap_seconds GROUP BY 1, 2, 3, 4",
            &[],
        )
        .await
        .expect("every second in whatever form");
    let mut wrong = Vec::new();
    let mut found = BTreeMap::new();
    for row in &rows {
        let key = (
            row.get::<_, &str>("video_id"),
            row.get::<_, NaiveDate>("captured_on"),
            row.get::<_, &str>("region"),
            row.get::<_, i32>("bucket_sec"),
        );
        found.insert(key, (row.get::<_, i64>("plays"), row.get::<_, Vec<u8>>("viewers")));
    }
    for ((video, day, region, second), expected) in oracle {
        let mut elements: Vec<i64> = expected
            .viewers
            .iter()
            .map(|&viewer| sketch::element(viewer_hash(&ViewerId::new(viewer_id(viewer)), &salts[day])))
            .collect();
        elements.sort_unstable();
        match found.remove(&(video.as_str(), *day, *region, *second)) {
            Some((plays, viewers)) if plays == expected.plays && viewers == sketch::encode(&elements) => {}
            Some((plays, _)) => wrong.push(format!(
                "{video} {day} {region} {second}: {plays} plays, {} were accepted",
                expected.plays
            )),
            None => wrong.push(format!("{video} {day} {region} {second}: no row")),
        }
    }
    wrong.extend(found.keys().map(|key| format!("{key:?}: nothing was accepted")));
    sampled::assert_sampled(client, oracle, &salts).await;
    let examples = wrong.iter().take(10).cloned().collect::<Vec<_>>().join("\n");
    assert!(wrong.is_empty(), "{} seconds are wrong:\n{examples}", wrong.len());
}

/// The API tells the same.
async fn assert_served(url: &str, oracle: &BTreeMap<Key, Second>) {
    let mut plays: BTreeMap<(&str, i32), i64> = BTreeMap::new();
    for ((video, _, _, second), expected) in oracle {
        *plays.entry((video, *second)).or_default() += expected.plays;
    }
    let api = replay::client();
    let mut videos: Vec<&str> = oracle.keys().map(|key| key.0.as_str()).collect();
    videos.dedup();
    for video in videos {
        let answer =
            api.get(format!("{url}/v1/videos/{video}/heatmap?resolution=1")).send().await.expect("an answer");
        let strip: Value = answer.json().await.expect("JSON");
        assert_eq!(strip["exact"], true, "{video}");
        for bucket in strip["buckets"].as_array().expect("buckets") {
            let second = bucket["bucket"].as_i64().expect("a number") as i32;
            let expected = plays.get(&(video, second)).copied().unwrap_or(0);
            assert_eq!(bucket["seconds_played"], expected, "{video} {second}");
        }
    }
}

/// No viewer id is in any file of the database, WAL included, nor in any log.
async fn assert_private(world: &World, client: &Client) {
    client.batch_execute("CHECKPOINT").await.expect("a checkpoint");
    let data_dir = world.postgres.data_dir();
    assert!(is_in_files(VIDEO_CANARY, &[data_dir]), "the search finds what is there");
    assert!(!is_in_files(VIEWER_CANARY, &[data_dir, world.logs.path()]), "viewer ids are kept nowhere");
    for log in world.log_files() {
        let text = std::fs::read_to_string(&log).expect("a log");
        assert!(!text.contains("panicked"), "{}:\n{text}", log.display());
    }
}

/// Whoever raises the log level must not get to know more than the table of sketches tells.
#[tokio::test]
async fn logs_at_any_level_hold_no_viewer_and_no_salt() {
    let url = database().await.url;
    let logs = tempfile::TempDir::new().expect("a directory");
    let log = |name: &str| logs.path().join(name);
    let mut api = start(&["serve", "--listen", "127.0.0.1:0", "--log", "trace"], &url, &log("api.log"));
    let address = until("the API listens", GRACE, async || {
        let text = api.log();
        let mut lines = text.lines();
        Some(lines.find_map(|line| line.strip_prefix("listening on "))?.to_owned())
    })
    .await;
    let beat = format!(r#"{{"video_id":"v","start_sec":0,"end_sec":9,"viewer_id":"{VIEWER_CANARY}-1"}}"#);
    let refused = format!(r#"{{"viewer_id":"{VIEWER_CANARY}-2","video_id":7}}"#);
    let sent = replay::client()
        .post(format!("{address}/v1/heartbeats"))
        .body(format!("[{beat},{refused}]"))
        .send()
        .await
        .expect("an answer");
    assert_eq!(sent.status(), 202);
    let mut worker = start(&["work", "--once", "--log", "trace"], &url, &log("worker.log"));
    assert!(worker.wait(GRACE).await.success(), "{}", worker.log());
    api.terminate(GRACE).await;

    let row = connect(&url).await.query_one("SELECT salt FROM salt_epochs", &[]).await.expect("the salt");
    let salt: Vec<u8> = row.get(0);
    let hash = viewer_hash(&ViewerId::new(format!("{VIEWER_CANARY}-1")), &Salt::new(salt.clone()));
    // As the formatter of bytes writes them.
    for secret in [VIEWER_CANARY.to_owned(), format!("{salt:?}"), hash.to_string()] {
        for place in [log("api.log"), log("worker.log")] {
            let place: &Path = &place;
            assert!(!is_in_files(&secret, &[place]), "{} holds {secret}", place.display());
        }
    }
}
