//! A Citus cluster of the tests' own: a coordinator and two workers, over a Postgres installation that has Citus and hll.

use std::path::PathBuf;

use heatstrip::postgres::{
    local::{Lifetime, LocalPostgres, LocalPostgresOptions},
    migrate::migrate_to_citus,
};
use tokio::sync::{Mutex, OnceCell};
use tokio_postgres::{Client, Config, NoTls, config::Host};

use super::TestDatabase;

/// Names the `bin` directory of a Postgres installation that has Citus and hll; without it nothing here runs.
pub const CITUS_BIN: &str = "HEATSTRIP_CITUS_BIN";
/// Shards of a table: each worker has some of every one, and a partition is made soon.
pub const SHARDS: u32 = 4;

/// For tests that leave the nodes running. It is never dropped: it ends with the process.
static SHARED: OnceCell<Cluster> = OnceCell::const_new();

/// Whoever adds a node changes its roles, which all databases share: one at a time.
static ADDING: Mutex<()> = Mutex::const_new(());

/// The nodes, the coordinator first.
pub struct Cluster {
    pub nodes: Vec<LocalPostgres>,
}

impl Cluster {
    /// Returns the cluster that tests share which leave its nodes running.
    pub async fn shared() -> &'static Cluster {
        SHARED.get_or_init(Cluster::start).await
    }

    /// Starts three nodes.
    pub async fn start() -> Cluster {
        let bin_dir = PathBuf::from(std::env::var_os(CITUS_BIN).expect("the caller has looked"));
        let options = LocalPostgresOptions {
            bin_dir: Some(bin_dir),
            settings: vec![
                ("shared_preload_libraries", "citus"),
                // Each database of each test has a maintenance daemon.
                ("max_worker_processes", "300"),
                ("max_prepared_transactions", "300"),
                ("max_connections", "800"),
                // What a crash leaves prepared is brought to its end soon.
                ("citus.recover_2pc_interval", "1s"),
                ("citus.enable_statistics_collection", "off"),
            ],
            ..LocalPostgresOptions::default()
        };
        let mut nodes = Vec::new();
        for _ in 0..3 {
            let name = format!("heatstrip-it-citus-{}", uuid::Uuid::new_v4().simple());
            let data_dir = std::env::temp_dir().join(name);
            let node = LocalPostgres::start_with(&data_dir, Lifetime::Process, &options).await;
            nodes.push(node.unwrap_or_else(|error| panic!("{CITUS_BIN} has no Citus that starts: {error}")));
        }
        Cluster { nodes }
    }

    /// Returns the host by which Citus knows a node.
    pub fn host(&self, node: usize) -> String {
        host(&self.nodes[node].url("postgres"))
    }

    /// Makes a database of this name on every node, and tells the coordinator of the workers; nothing is migrated yet.
    pub async fn bare_database(&self, name: &str) -> TestDatabase {
        for node in &self.nodes {
            node.create_database(name, None).await.expect("a database");
            let session = session(&node.url(name)).await;
            session.batch_execute("CREATE EXTENSION citus").await.expect("Citus");
            session.batch_execute("CREATE EXTENSION hll").await.expect("hll");
        }
        let _adding = ADDING.lock().await;
        let coordinator = session(&self.nodes[0].url(name)).await;
        let hosts: Vec<String> = self.nodes.iter().map(|node| host(&node.url(name))).collect();
        coordinator
            .execute("SELECT citus_set_coordinator_host($1, 5432)", &[&hosts[0]])
            .await
            .expect("the coordinator");
        for host in &hosts[1..] {
            coordinator.execute("SELECT citus_add_node($1, 5432)", &[host]).await.expect("a worker");
        }
        TestDatabase { url: self.nodes[0].url(name) }
    }

    /// Makes a database of this name whose tables are distributed.
    pub async fn database(&self, name: &str) -> TestDatabase {
        let database = self.bare_database(name).await;
        migrate_to_citus(&database.url, 16, SHARDS).await.expect("the tables are distributed");
        database
    }
}

/// The directory of the socket, which Citus takes for a host as libpq does.
fn host(url: &str) -> String {
    let config: Config = url.parse().expect("a URL");
    match config.get_hosts() {
        [Host::Unix(path)] => path.to_string_lossy().into_owned(),
        hosts => panic!("a socket: {hosts:?}"),
    }
}

async fn session(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.expect("a session");
    tokio::spawn(connection);
    client
}
