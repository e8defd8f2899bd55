//! A durable Postgres of its own with an API and two workers, each a process that can be killed and started again.

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use heatstrip::postgres::local::{Lifetime, LocalPostgres};
use tempfile::TempDir;
use tokio_postgres::{Client, NoTls};

use super::sampled::SAMPLE_SIZE;
use crate::support::{Process, heatstrip, heatstrip_at, until};

pub const DATABASE: &str = "crash";
/// How long a process may take to begin.
const START: Duration = Duration::from_secs(20);

/// What is lost if a process dies now.
#[derive(Debug, Clone, Copy)]
pub struct Work {
    /// Heartbeats in the queue.
    pub queued: i64,
    /// Lanes that are being folded.
    pub steps: i64,
}

pub struct World {
    pub postgres: LocalPostgres,
    pub database_url: String,
    pub logs: TempDir,
    /// The API's address; its port stays the same.
    pub url: String,
    pub api: Process,
    pub workers: Vec<Process>,
    /// The program of an earlier version, while that is what is started.
    pub previous: Option<PathBuf>,
    /// The servers of the stream that is the queue, if one is.
    pub queue: Option<String>,
}

impl World {
    pub async fn start(workers: usize) -> World {
        World::start_as(None, workers).await
    }

    /// Starts with a NATS stream as the queue.
    pub async fn start_on(queue: &str, workers: usize) -> World {
        World::start_with(None, Some(queue.to_owned()), workers).await
    }

    /// Starts as an earlier version.
    pub async fn start_as(previous: Option<PathBuf>, workers: usize) -> World {
        World::start_with(previous, None, workers).await
    }

    async fn start_with(previous: Option<PathBuf>, queue: Option<String>, workers: usize) -> World {
        let data_dir =
            std::env::temp_dir().join(format!("heatstrip-it-crash-{}", uuid::Uuid::new_v4().simple()));
        let postgres = LocalPostgres::start(&data_dir, Lifetime::Process).await.expect("a Postgres");
        postgres.create_database(DATABASE, None).await.expect("a database");
        let database_url = postgres.url(DATABASE);
        let logs = TempDir::new().expect("a directory");
        let as_then = Version { program: previous.as_deref(), queue: queue.as_deref() };
        let log = logs.path().join("migrate.log");
        let arguments = match queue {
            Some(_) => &["migrate", "--stream-max-bytes", "67108864"][..],
            None => &["migrate"],
        };
        let mut migrate = as_then.start(arguments, &database_url, &log);
        assert!(migrate.wait(START).await.success(), "{}", migrate.log());

        let api = as_then.start_api("127.0.0.1:0", &database_url, logs.path());
        let url = listening(&api).await;
        let mut world =
            World { postgres, database_url, logs, url, api, workers: Vec::new(), previous, queue };
        for worker in 0..workers {
            let process = world.new_worker(worker).await;
            world.workers.push(process);
        }
        world
    }

    /// Starts the API again, on the port its clients know.
    pub fn restart_api(&mut self) {
        let address = self.url.strip_prefix("http://").expect("its own URL");
        self.api = self.version().start_api(address, &self.database_url, self.logs.path());
    }

    fn version(&self) -> Version<'_> {
        Version { program: self.previous.as_deref(), queue: self.queue.as_deref() }
    }

    pub async fn restart_worker(&mut self, worker: usize) {
        self.workers[worker] = self.new_worker(worker).await;
    }

    /// Returns once it works: before, it would have no step to lose and nothing to end in order.
    async fn new_worker(&self, worker: usize) -> Process {
        let log = self.logs.path().join(format!("worker-{worker}.log"));
        let starts = |log: String| log.matches("folding on").count();
        let before = std::fs::read_to_string(&log).map_or(0, starts);
        // They take what there is at once: more steps are there to be killed in.
        let mut arguments = vec!["work", "--fold-wait-secs", "0"];
        if self.previous.is_none() {
            // Earlier versions may know no sample.
            arguments.extend(["--sample-size", SAMPLE_SIZE]);
        }
        let process = self.version().start(&arguments, &self.database_url, &log);
        until("the worker works", START, async || (starts(process.log()) > before).then_some(())).await;
        process
    }

    /// Folds what is queued, as an operator would.
    pub async fn drain(&self, limit: Duration) {
        let log = self.logs.path().join("once.log");
        let arguments = ["work", "--once", "--sample-size", SAMPLE_SIZE];
        let mut once = self.version().start(&arguments, &self.database_url, &log);
        assert!(once.wait(limit).await.success(), "{}", once.log());
    }

    pub fn assert_runs(&mut self) {
        self.api.assert_runs();
        for worker in &mut self.workers {
            worker.assert_runs();
        }
    }

    /// Every log but Postgres's own.
    pub fn log_files(&self) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.logs.path()).expect("the logs");
        entries.map(|entry| entry.expect("a log").path()).collect()
    }
}

/// Starts a command on a database.
pub fn start(arguments: &[&str], database_url: &str, log: &Path) -> Process {
    Version { program: None, queue: None }.start(arguments, database_url, log)
}

/// What is started: an earlier version or this one, and its queue.
#[derive(Clone, Copy)]
struct Version<'a> {
    program: Option<&'a Path>,
    queue: Option<&'a str>,
}

impl Version<'_> {
    fn start(self, arguments: &[&str], database_url: &str, log: &Path) -> Process {
        let mut command = match self.program {
            Some(program) => heatstrip_at(program, arguments),
            None => heatstrip(arguments),
        };
        command.env("DATABASE_URL", database_url);
        if let Some(queue) = self.queue {
            command.env("HEATSTRIP_QUEUE", queue);
        }
        Process::start(command, log)
    }

    fn start_api(self, listen: &str, database_url: &str, logs: &Path) -> Process {
        self.start(&["serve", "--listen", listen], database_url, &logs.join("api.log"))
    }
}

/// Waits until an API listens; returns its URL.
pub async fn listening(api: &Process) -> String {
    until("the API listens", START, async || {
        let log = api.log();
        let mut lines = log.lines();
        Some(lines.find_map(|line| line.strip_prefix("listening on "))?.to_owned())
    })
    .await
}

pub async fn connect(database_url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(database_url, NoTls).await.expect("a connection");
    tokio::spawn(connection);
    client
}

/// What is waiting and what is being done.
pub async fn work(client: &Client) -> Work {
    let row = client
        .query_one(
            "SELECT (SELECT coalesce(sum(heartbeats), 0)::bigint FROM heartbeat_queue) AS queued,
                (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted
                    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
                    AND classid::bigint = hashtext('heatstrip lane')::bigint & 4294967295) AS steps",
            &[],
        )
        .await
        .expect("the queue");
    Work { queued: row.get("queued"), steps: row.get("steps") }
}

/// Locks of videos, which compaction alone takes here: as many as the pieces under way have videos.
pub async fn pieces(client: &Client) -> i64 {
    let query = "
        SELECT count(*) FROM pg_locks
        WHERE locktype = 'advisory' AND granted
            AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
            AND classid::bigint <> ALL (SELECT hashtext('heatstrip ' || name)::bigint & 4294967295
                FROM unnest(ARRAY['lane', 'compaction', 'partitions', 'batch ids', 'migrations']) AS name)";
    client.query_one(query, &[]).await.expect("the locks").get(0)
}

/// Sessions of this database that wait for a lock.
pub async fn waiting(client: &Client) -> i64 {
    let query = "SELECT count(*) FROM pg_stat_activity
         WHERE datname = current_database() AND wait_event_type = 'Lock'";
    client.query_one(query, &[]).await.expect("the sessions").get(0)
}

/// Whether `needle` stands in any of these files, or in any file below these directories.
pub fn is_in_files(needle: &str, places: &[&Path]) -> bool {
    let mut grep = Command::new("grep");
    grep.env("LC_ALL", "C")
        .args(["--recursive", "--quiet", "--text", "--fixed-strings", "--regexp", needle])
        .args(places);
    match grep.status().expect("grep").code() {
        Some(0) => true,
        Some(1) => false,
        other => panic!("grep could not read everything: {other:?}"),
    }
}
