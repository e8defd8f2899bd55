//! Everybody is killed while a cluster of three NATS servers is the queue: every accepted heartbeat counts exactly once.
//!
//! `HEATSTRIP_NATS_CRASH_CYCLES` sets how many blows there are, `HEATSTRIP_CRASH_SEED` repeats a run's decisions.

use std::{
    collections::BTreeMap,
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use rand::{RngExt, SeedableRng, seq::SliceRandom};
use rand_chacha::ChaCha8Rng;

use super::{
    assert_counted_once, assert_private, assert_served,
    load::{Clients, Load},
    moment, setting,
    world::{World, connect, work},
};
use crate::support::{NatsCluster, until};

const CYCLES: usize = 10;
const MIN_HEARTBEATS: u64 = 5_000;
/// A leader that was killed is followed by another after some seconds.
const RECOVERY: Duration = Duration::from_secs(30);
const DRAIN: Duration = Duration::from_secs(120);

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Blow {
    KillServer,
    KillAllServers,
    KillApi,
    KillWorker,
    CrashPostgres,
}

impl Blow {
    const ALL: [Blow; 5] =
        [Blow::KillServer, Blow::KillAllServers, Blow::KillApi, Blow::KillWorker, Blow::CrashPostgres];
}

/// What was seen along the way.
#[derive(Debug, Default)]
struct Seen {
    blows: BTreeMap<Blow, u32>,
    amid_requests: u32,
    amid_steps: u32,
    amid_queue: u32,
    slowest_recovery: BTreeMap<Blow, Duration>,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_accepted_heartbeat_counts_once_whichever_server_is_killed() {
    let cycles = setting("HEATSTRIP_NATS_CRASH_CYCLES").unwrap_or(CYCLES as u64) as usize;
    let seed = setting("HEATSTRIP_CRASH_SEED").unwrap_or_else(rand::random);
    println!("HEATSTRIP_CRASH_SEED={seed}");
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let began = Instant::now();
    let mut nats = NatsCluster::start().await;
    let mut world = World::start_on(&nats.url, 2).await;
    let mut clients = Clients::start(&world.url, seed);
    until_accepted(&clients.load).await;

    let mut seen = Seen::default();
    let mut blows: Vec<Blow> = Blow::ALL.iter().copied().cycle().take(cycles).collect();
    blows.shuffle(&mut rng);
    for blow in blows {
        strike(blow, &mut world, &mut nats, &clients.load, &mut seen, &mut rng).await;
        clients.assert_run();
        world.assert_runs();
    }
    until("enough is accepted", DRAIN, async || {
        (clients.load.heartbeats.load(Ordering::Relaxed) > MIN_HEARTBEATS).then_some(())
    })
    .await;
    let load = std::sync::Arc::clone(&clients.load);
    let oracle = clients.finish().await;
    world.drain(DRAIN).await;
    println!(
        "{} heartbeats in {} batches, {} retries, {} of them told so; {seen:#?}; {:?}",
        load.heartbeats.load(Ordering::Relaxed),
        load.batches.load(Ordering::Relaxed),
        load.retries.load(Ordering::Relaxed),
        load.duplicates.load(Ordering::Relaxed),
        began.elapsed(),
    );
    let client = connect(&world.database_url).await;
    assert_counted_once(&client, &oracle).await;
    assert_served(&world.url, &oracle).await;
    assert_private(&world, &client).await;
    for server in &nats.servers {
        let places = [server.store_dir()];
        assert!(
            !super::is_in_files(super::VIEWER_CANARY, &[places[0].as_path()]),
            "viewer ids are in no file of NATS"
        );
    }

    // A test whose blows fell on an idle system would show nothing.
    let blows = cycles as u32;
    assert!(load.retries.load(Ordering::Relaxed) > 0, "no client noticed anything");
    assert!(seen.amid_requests * 2 > blows, "too few blows amid requests: {seen:?}");
    assert!(seen.amid_queue * 4 > blows, "too few blows amid a queue: {seen:?}");
    world.postgres.stop().await.expect("the server stops");
}

/// One blow at a random moment; returns once heartbeats are accepted again.
async fn strike(
    blow: Blow,
    world: &mut World,
    nats: &mut NatsCluster,
    load: &Load,
    seen: &mut Seen,
    rng: &mut ChaCha8Rng,
) {
    let (worker, server) = (rng.random_range(0..world.workers.len()), rng.random_range(0..3));
    let client = connect(&world.database_url).await;
    moment(rng, 400).await;
    let steps = work(&client).await.steps;
    let query =
        "SELECT (SELECT registered FROM queue_stream) > (SELECT min(sequence) FROM queue_stream_lanes)";
    let waits: bool = client.query_one(query, &[]).await.expect("the stream's rows").get(0);
    let in_flight = load.in_flight.load(Ordering::Relaxed);
    match blow {
        Blow::KillServer => nats.servers[server].process.kill().await,
        Blow::KillAllServers => {
            for server in &mut nats.servers {
                server.process.kill().await;
            }
        }
        Blow::KillApi => world.api.kill().await,
        Blow::KillWorker => world.workers[worker].kill().await,
        Blow::CrashPostgres => world.postgres.stop_immediately().await.expect("it stops"),
    }
    match blow {
        // The other two go on without it.
        Blow::KillServer => {
            until_accepted(load).await;
            nats.servers[server].restart().await;
        }
        Blow::KillAllServers => {
            for server in &mut nats.servers {
                server.restart().await;
            }
        }
        Blow::KillApi => world.restart_api(),
        Blow::KillWorker => world.restart_worker(worker).await,
        Blow::CrashPostgres => world.postgres.restart().await.expect("it recovers"),
    }
    let recovery = until_accepted(load).await;
    let slowest = seen.slowest_recovery.entry(blow).or_default();
    *slowest = recovery.max(*slowest);
    *seen.blows.entry(blow).or_default() += 1;
    seen.amid_requests += u32::from(in_flight > 0);
    seen.amid_steps += u32::from(steps > 0);
    seen.amid_queue += u32::from(waits);
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
