//! A private Postgres for `heatstrip dev` and the tests, over the server binaries that are installed.
//!
//! No crate does this for us: the hll extension has to be there, so a downloaded or bundled server is no use; the
//! server refuses to run as root, which is what a container usually is; and crash tests need a server that really is
//! durable.
//!
//! `<data_dir>/pgdata` is the cluster, `<data_dir>/postgres.log` its log, and `<data_dir>/lock` is locked by the one
//! process that uses the directory. The socket is elsewhere, in a short path under `/tmp`, because socket paths over
//! 107 bytes fail. There is no TCP port: whoever may enter the socket's directory may do everything.
//!
//! File system calls here block: they are few, small, and happen only when a server starts or stops.

mod account;
mod binaries;
mod error;
mod place;
mod postmaster;
mod watchdog;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::fcntl::Flock;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use tokio_postgres::NoTls;
use tokio_postgres::error::SqlState;

pub use error::LocalPostgresError;

use binaries::Binaries;
use place::Place;
use postmaster::{Postmaster, StopMode};
use watchdog::Watchdog;

/// The database role that owns everything; connections are trusted, so it has no password.
const SUPERUSER: &str = "heatstrip";

/// Whatever has no meaning in a URL stays as it is.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The port is part of the socket's file name only. It is fixed, because the server would otherwise take it from
/// `PGPORT`.
const PORT: u16 = 5432;

/// A server may take this long to answer, crash recovery included.
const START_DEADLINE: Duration = Duration::from_secs(60);

/// A starting server is asked this often; a fresh one needs about 100 ms.
const POLL: Duration = Duration::from_millis(20);

/// A connection over a local socket that takes longer than this will not come.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// The server and its data live as long as this says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lifetime {
    /// They live as long as this process, however it ends: even after a SIGKILL the server is stopped and its directory
    /// removed. The directory must be new or empty. This is for tests.
    Process,
    /// The data survives restarts; the server stops with [`LocalPostgres::stop`] or when the value is dropped, and one
    /// that outlived a killed process is taken over by the next start. This is for `heatstrip dev`.
    Kept,
}

/// A caller may choose these beyond the directory.
#[derive(Debug, Clone)]
pub struct LocalPostgresOptions {
    /// The directory of `initdb`, `postgres` and `pg_ctl` (`HEATSTRIP_PG_BIN`); they are looked for if it is `None`.
    pub bin_dir: Option<PathBuf>,
    /// The data goes here when we are root and the server's user cannot reach the directory asked for.
    pub fallback_base: PathBuf,
    /// These settings come beside, or instead of, the usual ones.
    pub settings: Vec<(&'static str, &'static str)>,
}

impl Default for LocalPostgresOptions {
    fn default() -> Self {
        // The tests have no command line to say which server they are to run on.
        let bin_dir = std::env::var_os("HEATSTRIP_PG_BIN").map(PathBuf::from);
        Self { bin_dir, fallback_base: PathBuf::from("/var/lib/heatstrip"), settings: Vec::new() }
    }
}

/// A running private Postgres server.
#[derive(Debug)]
pub struct LocalPostgres {
    place: Place,
    binaries: Binaries,
    lifetime: Lifetime,
    settings: Vec<(&'static str, &'static str)>,
    postmaster: Option<Postmaster>,
    watchdog: Option<Watchdog>,
    /// The lock is the last field, so that it is released last: nobody else may touch the directory while anything
    /// above is alive.
    _lock: Flock<File>,
}

impl LocalPostgres {
    /// Starts a server on `data_dir` with the default options. The directory is made if it is missing.
    pub async fn start(data_dir: &Path, lifetime: Lifetime) -> Result<Self, LocalPostgresError> {
        Self::start_with(data_dir, lifetime, &LocalPostgresOptions::default()).await
    }

    /// Starts a server on `data_dir`, which is made if it is missing, and returns once it answers.
    pub async fn start_with(
        data_dir: &Path,
        lifetime: Lifetime,
        options: &LocalPostgresOptions,
    ) -> Result<Self, LocalPostgresError> {
        let chosen = place::choose(data_dir, &options.fallback_base).await?;
        let binaries = binaries::find(options.bin_dir.as_deref(), chosen.cluster_major()).await?;
        let (place, lock) = chosen.prepare(lifetime)?;
        // The watchdog comes first: from here on nothing of a `Process` server can be left behind.
        let watchdog = match lifetime {
            Lifetime::Process => Some(Watchdog::start(&binaries, &place)?),
            Lifetime::Kept => None,
        };
        let settings = options.settings.clone();
        let mut server =
            Self { place, binaries, lifetime, settings, postmaster: None, watchdog, _lock: lock };
        postmaster::initialise(&server.binaries, &server.place).await?;
        if !server.adopt().await? {
            server.launch().await?;
        }
        Ok(server)
    }

    /// Returns the address of a database on this server, for tokio-postgres and psql alike.
    pub fn url(&self, database: &str) -> String {
        let encoded = |text| utf8_percent_encode(text, RESERVED);
        let socket_dir = self.place.socket_dir.to_string_lossy();
        let (database, host) = (encoded(database), encoded(&socket_dir));
        format!("postgresql:///{database}?host={host}&port={PORT}&user={SUPERUSER}")
    }

    /// Returns the directory where the data really is. Tell the user if [`Self::moved_from`] is set.
    pub fn data_dir(&self) -> &Path {
        &self.place.data_dir
    }

    /// Returns the directory that was asked for, if the server's user cannot reach it and the data is elsewhere.
    pub fn moved_from(&self) -> Option<&Path> {
        self.place.moved_from.as_deref()
    }

    /// Makes a database, as a copy of `template` if one is given (nobody may be connected to that one). A database that
    /// exists already is left as it is.
    pub async fn create_database(
        &self,
        name: &str,
        template: Option<&str>,
    ) -> Result<(), LocalPostgresError> {
        // A database's name cannot be a parameter of the statement, so this text is put together here.
        let mut statement = format!("CREATE DATABASE {}", quoted_identifier(name));
        if let Some(template) = template {
            statement.push_str(&format!(" TEMPLATE {}", quoted_identifier(template)));
        }
        match execute(&self.url("postgres"), &statement).await {
            Err(error) if error.code() == Some(&SqlState::DUPLICATE_DATABASE) => Ok(()),
            outcome => {
                outcome.map_err(|error| LocalPostgresError::sql(&format!("create database {name}"), &error))
            }
        }
    }

    /// Stops the server in good order: sessions are ended and everything is written. The directory of a
    /// [`Lifetime::Process`] server is gone afterwards.
    pub async fn stop(mut self) -> Result<(), LocalPostgresError> {
        self.halt(StopMode::Fast).await?;
        if let Some(watchdog) = self.watchdog.take() {
            watchdog.finish().await;
        }
        Ok(())
    }

    /// Stops the server as a crash would: nothing is written, and the next start has to recover.
    pub async fn stop_immediately(&mut self) -> Result<(), LocalPostgresError> {
        self.halt(StopMode::Immediate).await
    }

    /// Starts the server again, and stops it first, in good order, if it runs. The address stays the same.
    pub async fn restart(&mut self) -> Result<(), LocalPostgresError> {
        self.halt(StopMode::Fast).await?;
        self.launch().await
    }

    /// Takes over the server that a killed process left on this directory, if it still answers on our socket. A server
    /// that does not answer is stopped.
    async fn adopt(&mut self) -> Result<bool, LocalPostgresError> {
        let Some(pid) = postmaster::pid_on_file(&self.place) else {
            return Ok(false);
        };
        if self.answers().await {
            tracing::info!(%pid, data_dir = %self.place.data_dir.display(), "took over postmaster {pid}");
            self.postmaster = Some(Postmaster::adopted(pid));
            return Ok(true);
        }
        if postmaster::is_alive(&self.place, pid).await? {
            tracing::warn!(%pid, "postmaster {pid} of a killed run does not answer, stopping it");
            self.postmaster = Some(Postmaster::adopted(pid));
            if self.halt(StopMode::Fast).await.is_err() {
                self.halt(StopMode::Immediate).await?;
            }
        }
        // Otherwise the file is stale. Postgres knows best whether it may be overruled, so that is left to Postgres.
        Ok(false)
    }

    /// Spawns a postmaster and waits until it answers.
    async fn launch(&mut self) -> Result<(), LocalPostgresError> {
        let deadline = Instant::now() + START_DEADLINE;
        let mut log_start = postmaster::log_length(&self.place);
        self.postmaster =
            Some(Postmaster::spawn(&self.binaries, &self.place, self.lifetime, &self.settings)?);
        while !self.answers().await {
            let exited = self.postmaster.as_mut().is_none_or(|postmaster| postmaster.has_exited(&self.place));
            let timed_out = Instant::now() >= deadline;
            if exited || timed_out {
                let log = self.place.log();
                let tail = postmaster::log_tail(&self.place, log_start);
                if !exited {
                    return Err(LocalPostgresError::NoAnswer {
                        log,
                        tail,
                        seconds: START_DEADLINE.as_secs(),
                    });
                }
                self.postmaster = None;
                if timed_out || !tail.contains(postmaster::PREDECESSOR_ENDING) {
                    return Err(LocalPostgresError::ExitedEarly { log, tail });
                }
                log_start = postmaster::log_length(&self.place);
                self.postmaster =
                    Some(Postmaster::spawn(&self.binaries, &self.place, self.lifetime, &self.settings)?);
            }
            tokio::time::sleep(POLL).await;
        }
        tracing::debug!(data_dir = %self.place.data_dir.display(), "postgres is ready");
        Ok(())
    }

    async fn halt(&mut self, mode: StopMode) -> Result<(), LocalPostgresError> {
        if let Some(postmaster) = &mut self.postmaster {
            postmaster.stop(&self.binaries, &self.place, mode).await?;
            self.postmaster = None;
        }
        Ok(())
    }

    /// Returns true if the server takes a connection and an empty statement.
    async fn answers(&self) -> bool {
        let url = self.url("postgres");
        matches!(tokio::time::timeout(CONNECT_TIMEOUT, execute(&url, "")).await, Ok(Ok(())))
    }
}

impl Drop for LocalPostgres {
    /// An error path must not leave a server behind, so this asks it to stop without waiting. A `Process` server needs
    /// no asking: its watchdog sees the pipe close.
    fn drop(&mut self) {
        if let (Lifetime::Kept, Some(postmaster)) = (self.lifetime, &mut self.postmaster) {
            postmaster.ask_to_stop(&self.place);
        }
        // The directory is made again at the next start. While the server still uses it, it is not empty and stays.
        let _ = std::fs::remove_dir(&self.place.socket_dir);
    }
}

/// Runs one statement in a session of its own, which is over when this returns.
async fn execute(url: &str, statement: &str) -> Result<(), tokio_postgres::Error> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    let driver = tokio::spawn(connection);
    let outcome = client.batch_execute(statement).await;
    drop(client);
    // How the session's end went does not matter any more; it is behind us.
    let _ = driver.await;
    outcome
}

fn quoted_identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
