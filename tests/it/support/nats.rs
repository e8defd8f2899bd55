//! The real NATS server: one, or a cluster of three, whose processes can be killed and started again.

use std::{
    net::TcpListener,
    path::{Path, PathBuf},
    time::Duration,
};

use heatstrip::{
    postgres::Store,
    queue::{
        Queue,
        nats::settings::{StreamSettings, prepare},
    },
};
use tempfile::TempDir;
use tokio::process::Command;

use super::{Process, until};

/// How long a server may take to begin, and a cluster to agree on a leader.
const START: Duration = Duration::from_secs(30);

/// A server of a test's own; killed when this is dropped.
pub struct Nats {
    pub url: String,
    pub process: Process,
    folder: TempDir,
}

/// Returns the program: the one that `script/bootstrap --tests` installs, or another.
pub fn nats_program() -> PathBuf {
    if let Some(program) = std::env::var_os("HEATSTRIP_NATS_SERVER") {
        return program.into();
    }
    let installed = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/nats/bin/nats-server");
    if installed.exists() { installed } else { "nats-server".into() }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address").port()
}

fn start(folder: &Path) -> Process {
    let mut command = Command::new(nats_program());
    command.arg("--config").arg(folder.join("server.conf")).kill_on_drop(true);
    Process::start(command, &folder.join("server.log"))
}

impl Nats {
    /// Starts a server as `ops/nats.conf` sets it up.
    pub async fn start() -> Nats {
        Nats::start_with("", "sync_interval: always").await
    }

    /// Starts a server with more settings of its own and of its store.
    pub async fn start_with(settings: &str, store: &str) -> Nats {
        let nats = Nats::prepare(free_port(), "alone", settings, store);
        nats.until_it_answers().await;
        nats
    }

    fn prepare(port: u16, name: &str, settings: &str, store: &str) -> Nats {
        let folder = TempDir::new().expect("a folder");
        let store_dir = folder.path().join("store");
        let payload = if settings.contains("max_payload") { "" } else { "max_payload: 8MB\n" };
        let config = format!(
            "listen: 127.0.0.1:{port}\nserver_name: {name}\n{payload}{settings}\n\
             jetstream {{\n  store_dir: {store_dir:?}\n  max_file_store: 1GB\n  {store}\n}}\n"
        );
        std::fs::write(folder.path().join("server.conf"), config).expect("its settings");
        let process = start(folder.path());
        Nats { url: format!("nats://127.0.0.1:{port}"), process, folder }
    }

    async fn until_it_answers(&self) {
        until("NATS answers", START, async || async_nats::connect(&self.url).await.ok().map(|_| ())).await;
    }

    /// Starts the server again, where it was.
    pub async fn restart(&mut self) {
        self.process = start(self.folder.path());
        self.until_it_answers().await;
    }

    /// Returns where it stores everything.
    pub fn store_dir(&self) -> PathBuf {
        self.folder.path().join("store")
    }

    /// Returns the settings of a stream for a test.
    pub fn settings(&self) -> StreamSettings {
        StreamSettings {
            name: "heatstrip".into(),
            replicas: None,
            max_bytes: 64 << 20,
            dedup_window: Duration::from_secs(600),
            take: false,
        }
    }

    /// Makes a stream here the queue of a database.
    pub async fn queue(&self, store: &Store) -> Queue {
        prepare(store, &self.url, &self.settings()).await.expect("a stream");
        Queue::open(store, Some(&self.url)).await.expect("a queue")
    }
}

/// A cluster of three servers.
pub struct NatsCluster {
    /// The addresses of all three, with commas.
    pub url: String,
    pub servers: Vec<Nats>,
}

impl NatsCluster {
    /// Starts three servers and waits until they agree.
    pub async fn start() -> NatsCluster {
        let routes: Vec<u16> = (0..3).map(|_| free_port()).collect();
        let all: Vec<String> = routes.iter().map(|port| format!("nats://127.0.0.1:{port}")).collect();
        let servers: Vec<Nats> = routes
            .iter()
            .enumerate()
            .map(|(number, port)| {
                let cluster = format!(
                    "cluster {{\n  name: three\n  listen: 127.0.0.1:{port}\n  routes: [{}]\n}}",
                    all.join(", ")
                );
                Nats::prepare(free_port(), &format!("n{number}"), &cluster, "sync_interval: always")
            })
            .collect();
        let url = servers.iter().map(|server| server.url.clone()).collect::<Vec<_>>().join(",");
        let cluster = NatsCluster { url, servers };
        cluster.until_it_agrees().await;
        cluster
    }

    /// Waits until the cluster has a leader.
    pub async fn until_it_agrees(&self) {
        until("the cluster agrees", START, async || {
            let client = heatstrip::queue::nats::stream::connect(&self.url).await.ok()?;
            let context = async_nats::jetstream::new(client);
            let account = tokio::time::timeout(Duration::from_secs(2), context.query_account());
            account.await.ok()?.ok().map(|_| ())
        })
        .await;
    }

    /// Makes a stream here the queue of a database.
    pub async fn queue(&self, store: &Store) -> Queue {
        prepare(store, &self.url, &self.servers[0].settings()).await.expect("a stream");
        Queue::open(store, Some(&self.url)).await.expect("a queue")
    }
}
