//! Several hosts: two APIs, two workers, Postgres and three NATS servers, each in a network namespace of its own, whose links are
//! cut and mended under load. Every heartbeat that was answered 202 counts exactly once.
//!
//! It takes minutes and needs to be root, so it runs where `HEATSTRIP_HOSTS` says how many cuts there are: `script/test-long`.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Command as Blocking,
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use rand::{SeedableRng, seq::SliceRandom};
use rand_chacha::ChaCha8Rng;
use tempfile::TempDir;
use tokio::process::Command;

use super::{
    assert_counted_once, assert_served,
    load::{Clients, Load},
    moment, setting,
    world::connect,
};
use crate::support::{Process, nats_program, until};

/// How long a service may take to begin, and heartbeats to be accepted again once a link is mended.
const START: Duration = Duration::from_secs(40);
/// A worker that was cut off in its step keeps its lane until Postgres gives the session up.
const DRAIN: Duration = Duration::from_secs(240);

/// A host: a namespace, and a cable to the switch between them all.
struct Host {
    namespace: String,
    cable: String,
    address: String,
}

/// The hosts and the switch; gone when this is dropped.
struct Network {
    switch: String,
    hosts: Vec<Host>,
}

fn ip(arguments: &[&str]) {
    let output = Blocking::new("ip").args(arguments).output().expect("iproute2 is installed");
    assert!(output.status.success(), "ip {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

impl Network {
    fn new(hosts: usize) -> Network {
        let id = std::process::id() % 200 + 20;
        let switch = format!("hs{id}");
        ip(&["link", "add", &switch, "type", "bridge"]);
        let mut network = Network { switch: switch.clone(), hosts: Vec::new() };
        ip(&["addr", "add", &format!("10.201.{id}.1/24"), "dev", &switch]);
        ip(&["link", "set", &switch, "up"]);
        for number in 0..hosts {
            let (namespace, cable) = (format!("hs{id}h{number}"), format!("hs{id}c{number}"));
            let address = format!("10.201.{id}.{}", number + 10);
            ip(&["netns", "add", &namespace]);
            network.hosts.push(Host { namespace, cable, address });
            let Host { namespace, cable, address } = network.hosts.last().expect("it was just pushed");
            ip(&["link", "add", cable, "type", "veth", "peer", "name", "eth0", "netns", namespace]);
            ip(&["link", "set", cable, "master", &switch]);
            ip(&["link", "set", cable, "up"]);
            let inside = ["-n", namespace.as_str()];
            ip(&[&inside[..], &["addr", "add", &format!("{address}/24"), "dev", "eth0"]].concat());
            ip(&[&inside[..], &["link", "set", "eth0", "up"]].concat());
            ip(&[&inside[..], &["link", "set", "lo", "up"]].concat());
        }
        network
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        for host in &self.hosts {
            let _ = Blocking::new("ip").args(["netns", "del", &host.namespace]).status();
        }
        let _ = Blocking::new("ip").args(["link", "del", &self.switch]).status();
    }
}

impl Host {
    fn cut(&self) {
        ip(&["link", "set", &self.cable, "down"]);
    }

    fn mend(&self) {
        ip(&["link", "set", &self.cable, "up"]);
    }

    /// Starts a program on this host.
    fn start(&self, program: &Path, arguments: &[&str], environment: &[(&str, &str)], log: &Path) -> Process {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.namespace]).arg(program).args(arguments);
        command.envs(environment.iter().copied()).kill_on_drop(true);
        Process::start(command, log)
    }
}

/// Everything that runs.
struct Site {
    network: Network,
    database_url: String,
    nats_url: String,
    api_urls: Vec<String>,
    processes: Vec<Process>,
    folder: TempDir,
}

const POSTGRES: usize = 0;
const NATS: std::ops::Range<usize> = 1..4;
const APIS: std::ops::Range<usize> = 4..6;
const WORKERS: std::ops::Range<usize> = 6..8;
const HEATSTRIP: &str = env!("CARGO_BIN_EXE_heatstrip");

impl Site {
    async fn start() -> Site {
        let network = Network::new(8);
        let folder = TempDir::new().expect("a folder");
        let address = |host: usize| network.hosts[host].address.clone();
        let log = |name: &str| folder.path().join(format!("{name}.log"));
        let mut processes = vec![start_postgres(&network.hosts[POSTGRES], folder.path()).await];
        let database_url = format!("postgresql://postgres@{}:5432/postgres", address(POSTGRES));
        until("Postgres answers", START, async || {
            tokio_postgres::connect(&database_url, tokio_postgres::NoTls).await.ok().map(|_| ())
        })
        .await;

        let routes: Vec<String> = NATS.map(|host| format!("nats://{}:6222", address(host))).collect();
        for host in NATS {
            let (config, store) =
                (folder.path().join(format!("nats{host}.conf")), folder.path().join(format!("nats{host}")));
            let text = format!(
                "listen: {0}:4222\nserver_name: n{host}\nmax_payload: 8MB\n\
                 cluster {{ name: hosts, listen: {0}:6222, routes: [{1}] }}\n\
                 jetstream {{ store_dir: {store:?}, max_file_store: 2GB, sync_interval: always }}\n",
                address(host),
                routes.join(", ")
            );
            std::fs::write(&config, text).expect("its settings");
            let arguments = ["--config", config.to_str().expect("text")];
            let process =
                network.hosts[host].start(&nats_program(), &arguments, &[], &log(&format!("nats{host}")));
            processes.push(process);
        }
        let servers: Vec<String> = NATS.map(|host| format!("nats://{}:4222", address(host))).collect();
        let nats_url = servers.join(",");
        let environment = [("DATABASE_URL", database_url.as_str()), ("HEATSTRIP_QUEUE", nats_url.as_str())];
        let arguments = ["migrate", "--stream-max-bytes", "1073741824"];
        until("the stream is made", START, async || {
            let mut migrate = network.hosts[APIS.start].start(
                Path::new(HEATSTRIP),
                &arguments,
                &environment,
                &log("migrate"),
            );
            migrate.wait(START).await.success().then_some(())
        })
        .await;

        let mut api_urls = Vec::new();
        for host in APIS {
            let listen = format!("{}:8080", address(host));
            let arguments = ["serve", "--listen", &listen, "--access", "open"];
            let log = log(&format!("api{host}"));
            processes.push(network.hosts[host].start(Path::new(HEATSTRIP), &arguments, &environment, &log));
            api_urls.push(format!("http://{listen}"));
        }
        for host in WORKERS {
            let arguments = ["work", "--fold-wait-secs", "0", "--sample-size", super::sampled::SAMPLE_SIZE];
            let log = log(&format!("worker{host}"));
            processes.push(network.hosts[host].start(Path::new(HEATSTRIP), &arguments, &environment, &log));
        }
        Site { network, database_url, nats_url, api_urls, processes, folder }
    }

    /// Folds what waits, from the switch, which reaches everybody.
    async fn drain(&self) {
        let mut command = Command::new(HEATSTRIP);
        command.args(["work", "--once", "--sample-size", super::sampled::SAMPLE_SIZE]).kill_on_drop(true);
        command.env("DATABASE_URL", &self.database_url).env("HEATSTRIP_QUEUE", &self.nats_url);
        let mut once = Process::start(command, &self.folder.path().join("once.log"));
        assert!(once.wait(DRAIN).await.success(), "{}", once.log());
    }

    fn assert_run(&mut self) {
        self.processes.iter_mut().for_each(Process::assert_runs);
    }
}

/// Starts a Postgres that is reached through its host's cable alone.
async fn start_postgres(host: &Host, folder: &Path) -> Process {
    let bin: PathBuf = std::fs::read_dir("/usr/lib/postgresql")
        .expect("Postgres is installed")
        .map(|entry| entry.expect("an entry").path().join("bin"))
        .filter(|bin| bin.join("initdb").exists())
        .max()
        .expect("its programs");
    let data = folder.join("pgdata");
    let as_postgres = |program: &str, arguments: &[&str]| {
        let status = Blocking::new("runuser")
            .args(["-u", "postgres", "--", program])
            .args(arguments)
            .current_dir("/")
            .stdout(std::process::Stdio::null())
            .status()
            .expect("runuser");
        assert!(status.success(), "{program}");
    };
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o777);
    std::fs::set_permissions(folder, open).expect("Postgres may write there");
    let data_text = data.to_str().expect("text");
    as_postgres(
        bin.join("initdb").to_str().expect("text"),
        &["-D", data_text, "-A", "trust", "-U", "postgres"],
    );
    let hba = "local all all trust\nhost all all 10.201.0.0/16 trust\n";
    std::fs::write(data.join("pg_hba.conf"), hba).expect("who may come");
    let listen = format!("listen_addresses={}", host.address);
    let sockets = format!("unix_socket_directories={data_text}");
    let postgres = bin.join("postgres");
    let arguments = [
        "-u",
        "postgres",
        "--",
        postgres.to_str().expect("text"),
        "-D",
        data_text,
        "-c",
        &listen,
        "-c",
        &sockets,
    ];
    host.start(Path::new("/usr/sbin/runuser"), &arguments, &[], &folder.join("postgres.log"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_accepted_heartbeat_counts_once_whatever_link_is_cut() {
    let Some(cuts) = setting("HEATSTRIP_HOSTS") else {
        println!("left out: HEATSTRIP_HOSTS=12 runs it, as root (script/test-long does)");
        return;
    };
    let seed = setting("HEATSTRIP_CRASH_SEED").unwrap_or_else(rand::random);
    println!("HEATSTRIP_CRASH_SEED={seed}");
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let began = Instant::now();
    let mut site = Site::start().await;
    let mut clients: Vec<Clients> =
        (0..).zip(&site.api_urls).map(|(n, url)| Clients::start(url, seed ^ (n << 32))).collect();
    let loads: Vec<Arc<Load>> = clients.iter().map(|clients| Arc::clone(&clients.load)).collect();
    until_accepted(&loads).await;

    // Each host, and two of the three NATS servers at once, which are no majority.
    let mut plan: Vec<Vec<usize>> = (0..8).map(|host| vec![host]).chain([vec![1, 2], vec![2, 3]]).collect();
    plan.shuffle(&mut rng);
    let mut cut_amid_requests = 0;
    let mut seen = BTreeMap::<Vec<usize>, Duration>::new();
    for hosts in plan.iter().cycle().take(cuts as usize) {
        moment(&mut rng, 500).await;
        cut_amid_requests += u32::from(loads.iter().any(|load| load.in_flight.load(Ordering::Relaxed) > 0));
        hosts.iter().for_each(|&host| site.network.hosts[host].cut());
        // Long enough for what waits to be given up, and short enough for what is only slow.
        moment(&mut rng, 12_000).await;
        hosts.iter().for_each(|&host| site.network.hosts[host].mend());
        let took = until_accepted(&loads).await;
        let slowest = seen.entry(hosts.clone()).or_default();
        *slowest = took.max(*slowest);
        clients.iter_mut().for_each(Clients::assert_run);
        site.assert_run();
    }

    let mut oracle = BTreeMap::new();
    for clients in clients {
        for (key, second) in clients.finish().await {
            let all: &mut super::load::Second = oracle.entry(key).or_default();
            all.plays += second.plays;
            all.viewers.extend(second.viewers);
        }
    }
    site.drain().await;
    let sum = |count: fn(&Load) -> u64| loads.iter().map(|load| count(load)).sum::<u64>();
    println!(
        "{} heartbeats in {} batches, {} retries; accepted again within {seen:?}; {:?}",
        sum(|load| load.heartbeats.load(Ordering::Relaxed)),
        sum(|load| load.batches.load(Ordering::Relaxed)),
        sum(|load| load.retries.load(Ordering::Relaxed)),
        began.elapsed(),
    );
    let client = connect(&site.database_url).await;
    assert_counted_once(&client, &oracle).await;
    for url in &site.api_urls {
        assert_served(url, &oracle).await;
    }
    assert!(sum(|load| load.retries.load(Ordering::Relaxed)) > 0, "no client noticed anything");
    assert!(u64::from(cut_amid_requests) * 2 > cuts, "too few cuts amid requests: {cut_amid_requests}");
}

/// Waits for each API to accept its next batch; returns how long that took.
async fn until_accepted(loads: &[Arc<Load>]) -> Duration {
    let began = Instant::now();
    let before: Vec<u64> = loads.iter().map(|load| load.batches.load(Ordering::Relaxed)).collect();
    until("heartbeats are accepted again", START, async || {
        let on = |(load, before): (&Arc<Load>, &u64)| load.batches.load(Ordering::Relaxed) > *before;
        loads.iter().zip(&before).all(on).then_some(())
    })
    .await;
    began.elapsed()
}
