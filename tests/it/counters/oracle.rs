//! Random writes of all modes from several processes at once, with retries, erasures, nights and kills: totals, lists, what a
//! member did and sequences equal a model.
//!
//! `HEATSTRIP_CRASH_CYCLES` sets how many blows there are, `HEATSTRIP_CRASH_SEED` repeats a run's decisions.

mod clients;
mod compare;

use std::{
    collections::BTreeMap,
    path::Path,
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tokio_postgres::Client;

use crate::{
    crash::world::{World, connect, listening, start},
    support::{Process, until},
};
use clients::{Clients, Load};

const CYCLES: usize = 20;
/// How long it may take until counts are accepted again.
const RECOVERY: Duration = Duration::from_secs(30);
/// How long a command may take.
const PATIENCE: Duration = Duration::from_secs(120);

/// What is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Blow {
    FirstApi,
    SecondApi,
    Night,
    Postgres,
}

/// Two APIs on one database, and a night that comes again and again.
struct Stage {
    world: World,
    second: Process,
    second_url: String,
    night: Process,
    nights: u32,
}

impl Stage {
    async fn set(sabotage: Option<&str>) -> Stage {
        let world = World::start(0).await;
        let client = connect(&world.database_url).await;
        client
            .batch_execute("INSERT INTO counter_kinds (name, mode) VALUES ('points', 'signed')")
            .await
            .expect("a kind");
        if let Some(sabotage) = sabotage {
            client.batch_execute(sabotage).await.expect("the damage is done");
        }
        let second = start(
            &["serve", "--listen", "127.0.0.1:0"],
            &world.database_url,
            &world.logs.path().join("second.log"),
        );
        let second_url = listening(&second).await;
        let night = night(&world.database_url, world.logs.path());
        Stage { world, second, second_url, night, nights: 1 }
    }

    /// Starts the next night once the one before is over.
    async fn go_on(&mut self) {
        if self.night.has_ended() {
            self.next_night();
        }
    }

    fn next_night(&mut self) {
        self.nights += 1;
        self.night = night(&self.world.database_url, self.world.logs.path());
    }

    async fn strike(&mut self, blow: Blow) {
        match blow {
            Blow::FirstApi => {
                self.world.api.kill().await;
                self.world.restart_api();
            }
            Blow::SecondApi => {
                self.second.kill().await;
                let address = self.second_url.strip_prefix("http://").expect("its own URL").to_owned();
                let log = self.world.logs.path().join("second.log");
                self.second = start(&["serve", "--listen", &address], &self.world.database_url, &log);
            }
            Blow::Night => {
                // It may be over by the time the signal comes: then the next one is killed as it begins.
                while self.night.has_ended() {
                    self.next_night();
                }
                self.night.kill().await;
                self.next_night();
            }
            Blow::Postgres => {
                self.world.postgres.stop_immediately().await.expect("it stops");
                self.world.postgres.restart().await.expect("it recovers");
            }
        }
    }
}

fn night(database_url: &str, logs: &Path) -> Process {
    start(&["compact"], database_url, &logs.join("night.log"))
}

/// What the database holds when a blow falls.
async fn at_stake(client: &Client) -> String {
    let row = client
        .query_one(
            "SELECT (SELECT count(*) FROM counter_marks) AS marks, (SELECT count(*) FROM counter_events) AS events,
                (SELECT count(*) FROM counter_blocks) AS blocks, (SELECT count(*) FROM counter_erasures) AS erasures,
                (SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
                    AND application_name = 'heatstrip' AND xact_start IS NOT NULL) AS transactions",
            &[],
        )
        .await
        .expect("the tables");
    let of = |name: &str| format!("{} {name}", row.get::<_, i64>(name));
    ["marks", "events", "blocks", "erasures", "transactions"].map(of).join(", ")
}

/// Counts for a while under blows; returns what differs from the model in the end.
async fn run(cycles: usize, seed: u64, sabotage: Option<&str>) -> Vec<String> {
    println!("HEATSTRIP_CRASH_SEED={seed}");
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut stage = Stage::set(sabotage).await;
    let mut clients = Clients::start(&[&stage.world.url, &stage.second_url], seed);
    let load = std::sync::Arc::clone(&clients.load);
    until_accepted(&load).await;
    let (mut amid, mut blows) = (0, BTreeMap::<Blow, u32>::new());
    for cycle in 0..cycles {
        let pause = Instant::now() + Duration::from_millis(rng.random_range(100..900));
        while Instant::now() < pause {
            stage.go_on().await;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let blow =
            [Blow::FirstApi, Blow::SecondApi, Blow::Night, Blow::FirstApi, Blow::Postgres, Blow::Night]
                [cycle % 6];
        let held = at_stake(&connect(&stage.world.database_url).await).await;
        let in_flight = load.in_flight.load(Ordering::Relaxed);
        println!(
            "{blow:?} killed after {} counts, amid {in_flight} requests: {held}",
            load.counts.load(Ordering::Relaxed)
        );
        amid += u32::from(in_flight > 0);
        stage.strike(blow).await;
        *blows.entry(blow).or_default() += 1;
        until_accepted(&load).await;
        clients.assert_run();
    }
    let models = clients.finish().await;
    println!(
        "{} counts, {} requests sent again, {} erasures, {} nights; {blows:?}",
        load.counts.load(Ordering::Relaxed),
        load.retries.load(Ordering::Relaxed),
        load.erasures.load(Ordering::Relaxed),
        stage.nights,
    );
    assert!(amid as usize * 2 > cycles, "too few blows amid requests: {amid}");
    // The night under way ends; one more in peace packs the rest.
    stage.night.wait(PATIENCE).await;
    let mut last = night(&stage.world.database_url, stage.world.logs.path());
    assert!(last.wait(PATIENCE).await.success(), "{}", last.log());
    let differences = compare::differences(&stage.world.database_url, &stage.world.url, &models).await;
    stage.world.postgres.stop().await.expect("the server stops");
    differences
}

/// Waits until a count is accepted.
async fn until_accepted(load: &Load) {
    let before = load.counts.load(Ordering::Relaxed);
    until("counts are accepted", RECOVERY, async || {
        (load.counts.load(Ordering::Relaxed) > before).then_some(())
    })
    .await;
}

fn setting(name: &str) -> Option<u64> {
    Some(std::env::var(name).ok()?.parse().expect("a number"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_counted_equals_a_model_whoever_is_killed() {
    let cycles = setting("HEATSTRIP_CRASH_CYCLES").unwrap_or(CYCLES as u64) as usize;
    let seed = setting("HEATSTRIP_CRASH_SEED").unwrap_or_else(rand::random);
    let differences = run(cycles, seed, None).await;
    assert!(differences.is_empty(), "{differences:#?}");
}

/// The comparison above finds what it looks for: with the memory of ids broken it fails.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_comparison_bites() {
    let forgets =
        "CREATE OR REPLACE FUNCTION remember_counter_ids(ids uuid[], contents bigint[], seqs bigint[])
        RETURNS void LANGUAGE sql AS 'SELECT'";
    let differences = run(2, rand::random(), Some(forgets)).await;
    assert!(!differences.is_empty(), "a server that forgets ids passes");
    println!("found, as it should be: {} differences, the first: {}", differences.len(), differences[0]);
}
