//! The queue as a NATS stream beside the queue as a table: accepting over HTTP, and folding.

use std::{
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::Context;
use chrono::Utc;
use heatstrip::{
    clock::Clock,
    events::hashed::HashedHeartbeats,
    postgres::Store,
    queue::{
        Batch, Queue,
        batch_ids::{Accepted, Ring},
        nats::settings::{StreamSettings, prepare},
    },
    work::worker,
};
use serde_json::json;
use tokio::task::JoinSet;

use crate::{
    Plan,
    audience::{Beat, FEW, hashed},
    engine::CONNECTIONS,
    http::bodies,
    load::{Load, run},
    postgres::{self, Postgres},
    process::Server,
    report::{Goal, Section, Table, median, thousands},
};

pub const TITLE: &str = "The queue as a NATS stream";

const BATCH: usize = 100;
/// Heartbeats of one group: what the intake gathers under load.
const GROUP: usize = 10_000;
const TURNS: usize = 3;

pub async fn section(plan: &Plan) -> anyhow::Result<Section> {
    let Some(program) = program() else {
        let text = "Left out: there is no `nats-server` (`script/bootstrap --tests` installs it).".into();
        return Ok(Section { title: TITLE, text, ..Section::default() });
    };
    let postgres = Postgres::start().await?;
    let one = Servers::start(&program, 1).await?;
    let three = Servers::start(&program, 3).await?;
    let beats = FEW.beats(plan.beats);
    let batches =
        bodies("nats", beats[..plan.beats.min(40_000)].chunks(BATCH).map(|batch| json!(batch).to_string()))?;
    let accepted = accept(&postgres, plan, &batches, &one, &three).await?;
    fs::remove_file(&batches)?;
    let folded = fold(&postgres, &beats, &one, &three).await?;
    postgres.stop().await?;

    let row = |what: &str, [table, one, three]: [f64; 3]| {
        let ratio = |rate: f64| format!("{:.2}", rate / table);
        vec![what.to_owned(), thousands(table), thousands(one), ratio(one), thousands(three), ratio(three)]
    };
    Ok(Section {
        title: TITLE,
        text: "Postgres, the NATS servers (`sync_interval: always`), the API and the load on the same 2 cores and the same disk; so three\n\
               servers show what they cost, and nothing of what they carry on machines of their own. Accepting: `wrk`, 32 connections, in\n\
               turns, the median of three; no worker folds meanwhile. Folding: heartbeats wait in groups of 10,000, then two connections\n\
               fold them; in turns, the median of three."
            .into(),
        tables: vec![Table::new(
            ["", "the table", "one server", "ratio", "three servers", "ratio"],
            vec![
                row("batches of 100 heartbeats with an id, a second", accepted),
                row("heartbeats folded, a second", folded),
            ],
        )],
        goals: vec![
            Goal::at_least("accepted, one server / the table", 0.5, accepted[1] / accepted[0]),
            Goal::at_least("folded, one server / the table", 0.7, folded[1] / folded[0]),
        ],
        ..Section::default()
    })
}

/// Batches a second with the table, one server and three.
async fn accept(
    postgres: &Postgres,
    plan: &Plan,
    batches: &Path,
    one: &Servers,
    three: &Servers,
) -> anyhow::Result<[f64; 3]> {
    let load = Load { connections: 32, secs: plan.load_secs, bodies: Some(batches), keyed: true };
    let mut servers = Vec::new();
    for (name, nats) in [("table", None), ("one", Some(one)), ("three", Some(three))] {
        let (url, store) = postgres.heatstrip(&format!("nats_{name}"), 2).await?;
        let queue = match nats {
            Some(nats) => {
                nats.queue(&store, &format!("accept_{name}")).await?;
                nats.url.clone()
            }
            None => String::new(),
        };
        postgres::settle(&url).await?;
        let environment = [("HEATSTRIP_QUEUE", queue.as_str())];
        let environment = if queue.is_empty() { &[][..] } else { &environment[..] };
        servers.push(Server::start(&url, environment)?);
    }
    let mut rates = [const { Vec::new() }; 3];
    for _ in 0..TURNS {
        for (server, rates) in servers.iter().zip(&mut rates) {
            rates.push(run(&format!("{}/v1/heartbeats", server.url), &load)?);
        }
    }
    Ok(rates.map(median))
}

/// Heartbeats folded a second from the table, one server and three.
async fn fold(
    postgres: &Postgres,
    beats: &[Beat],
    one: &Servers,
    three: &Servers,
) -> anyhow::Result<[f64; 3]> {
    let mut rates = [const { Vec::new() }; 3];
    for turn in 0..TURNS {
        for (number, nats) in [None, Some(one), Some(three)].into_iter().enumerate() {
            let name = format!("fold_{turn}_{number}");
            let (url, store) = postgres.heatstrip(&name, 2 * CONNECTIONS).await?;
            let queue = match nats {
                None => Queue::from(&store),
                Some(nats) => nats.queue(&store, &name).await?,
            };
            for group in beats.chunks(GROUP) {
                let lanes = lanes(&store, &hashed(group))?;
                let answer = Accepted { accepted: group.len(), rejected: "[]".into() };
                queue.enqueue(Ring::Http, &[Batch { id: None, lanes, answer }], Utc::now()).await?;
            }
            postgres::settle(&url).await?;
            let started = Instant::now();
            drain(&queue).await?;
            rates[number].push(beats.len() as f64 / started.elapsed().as_secs_f64());
            store.close();
            postgres.drop(&name).await?;
        }
    }
    Ok(rates.map(median))
}

fn lanes(
    store: &Store,
    heartbeats: &HashedHeartbeats,
) -> anyhow::Result<std::collections::BTreeMap<u16, HashedHeartbeats>> {
    let mut lanes = std::collections::BTreeMap::<u16, HashedHeartbeats>::new();
    for heartbeat in heartbeats.iter() {
        let heartbeat = heartbeat?;
        let lane = heatstrip::events::lane::lane(heartbeat.video_id, store.lanes());
        lanes.entry(lane).or_default().push(&heartbeat);
    }
    Ok(lanes)
}

/// Folds until the queue is empty, as the worker's loop does.
async fn drain(queue: &Queue) -> anyhow::Result<()> {
    let mark = queue.mark().await?;
    let mut workers = JoinSet::new();
    for _ in 0..CONNECTIONS {
        let queue = queue.clone();
        workers.spawn(async move {
            let clock = Clock::by_hand(Utc::now() + chrono::TimeDelta::hours(1));
            loop {
                if worker::step(&queue, &clock, Duration::ZERO).await? == worker::Step::Idle {
                    if queue.is_folded(&mark).await? {
                        return anyhow::Ok(());
                    }
                    // The other one has the last lane, or reads on.
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
            }
        });
    }
    while let Some(worker) = workers.join_next().await {
        worker??;
    }
    Ok(())
}

/// One NATS server, or a cluster; stopped when this is dropped.
struct Servers {
    url: String,
    children: Vec<Child>,
    _folder: tempfile::TempDir,
}

impl Servers {
    async fn start(program: &Path, count: usize) -> anyhow::Result<Servers> {
        let folder = tempfile::tempdir()?;
        let port = || anyhow::Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port());
        let (ports, routes): (Vec<u16>, Vec<u16>) = (0..count)
            .map(|_| Ok((port()?, port()?)))
            .collect::<anyhow::Result<Vec<_>>>()?
            .into_iter()
            .unzip();
        let all: Vec<String> = routes.iter().map(|route| format!("nats://127.0.0.1:{route}")).collect();
        let mut children = Vec::new();
        for (number, (port, route)) in ports.iter().zip(&routes).enumerate() {
            let cluster = match count {
                1 => String::new(),
                _ => format!(
                    "cluster {{ name: bench, listen: 127.0.0.1:{route}, routes: [{}] }}",
                    all.join(", ")
                ),
            };
            let store = folder.path().join(number.to_string());
            let config = folder.path().join(format!("{number}.conf"));
            fs::write(
                &config,
                format!(
                    "listen: 127.0.0.1:{port}\nserver_name: n{number}\nmax_payload: 8MB\n{cluster}\n\
                     jetstream {{ store_dir: {store:?}, max_file_store: 20GB, sync_interval: always }}\n"
                ),
            )?;
            let mut command = Command::new(program);
            command.arg("--config").arg(&config).stdout(Stdio::null()).stderr(Stdio::null());
            children.push(command.spawn()?);
        }
        let url = ports.iter().map(|port| format!("nats://127.0.0.1:{port}")).collect::<Vec<_>>().join(",");
        Ok(Servers { url, children, _folder: folder })
    }

    /// Makes a stream of this name the queue of a database.
    async fn queue(&self, store: &Store, name: &str) -> anyhow::Result<Queue> {
        let settings = StreamSettings {
            name: name.to_owned(),
            replicas: None,
            max_bytes: 4 << 30,
            dedup_window: Duration::from_secs(600),
            take: false,
        };
        let deadline = Instant::now() + Duration::from_secs(30);
        // A cluster takes a moment to agree on a leader.
        while let Err(error) = prepare(store, &self.url, &settings).await {
            anyhow::ensure!(Instant::now() < deadline, error);
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        Queue::open(store, Some(&self.url)).await.context("the stream")
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        for child in &mut self.children {
            // One that has ended by itself is no reason to fail here.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn program() -> Option<PathBuf> {
    let installed = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/nats/bin/nats-server");
    installed.exists().then_some(installed)
}
