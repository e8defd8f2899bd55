//! The server process: this makes its cluster, starts it, finds one that was left behind and stops it.

use std::io::{Read, Seek, SeekFrom};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::account::{last_lines, output, run};
use super::binaries::Binaries;
use super::place::{Place, open_for_append};
use super::{Lifetime, LocalPostgresError, PORT, SUPERUSER};

/// Clusters under construction have this prefix and the maker's process id.
const UNFINISHED: &str = "pgdata.new-";

/// A server may take this long to end, because it may have up to 1 GB of WAL to checkpoint.
const STOP_DEADLINE: Duration = Duration::from_secs(60);

/// A server that found sessions of a killed one says this in its log; they end by themselves within a moment.
pub(super) const PREDECESSOR_ENDING: &str = "pre-existing shared memory block";

/// The running server.
#[derive(Debug)]
pub(super) enum Postmaster {
    /// The server is a child of the standard library, not one of tokio's: those belong to the runtime that spawned
    /// them, and the tests share a server across runtimes.
    Child(Child),
    /// A process that was killed left the server behind.
    Adopted(Pid),
}

/// A server is stopped in one of these ways; the names are `pg_ctl`'s.
#[derive(Debug, Clone, Copy)]
pub(super) enum StopMode {
    Fast,
    Immediate,
}

impl StopMode {
    fn name(self) -> &'static str {
        match self {
            Self::Fast => "fast",
            Self::Immediate => "immediate",
        }
    }
}

/// Makes the cluster, unless there is one.
///
/// An `initdb` that was killed leaves a directory that neither it nor the server accepts, so it works under another
/// name. The name is new each time, since an orphaned `initdb` may still be writing to the last one.
pub(super) async fn initialise(binaries: &Binaries, place: &Place) -> Result<(), LocalPostgresError> {
    remove_unfinished(place);
    let pgdata = place.pgdata();
    if pgdata.exists() {
        return Ok(());
    }
    let unfinished = place.data_dir.join(format!("{UNFINISHED}{}", std::process::id()));
    let failed = || LocalPostgresError::io(format!("create {}", pgdata.display()));
    std::fs::create_dir(&unfinished).map_err(failed())?;
    place.account.give(&unfinished)?;
    let mut initdb = place.account.command(binaries.path("initdb"));
    // A power cut in the first half minute may break a cluster made without sync, but it has no data in it yet.
    initdb.args(["--no-sync", "-A", "trust", "-E", "UTF8", "--locale=C", "-U", SUPERUSER, "-D"]);
    initdb.arg(&unfinished);
    run(initdb).await?;
    std::fs::rename(&unfinished, &pgdata).map_err(failed())
}

/// Removes unfinished clusters as far as it can. One that cannot be removed now is in nobody's way and will be tried
/// again.
fn remove_unfinished(place: &Place) {
    let Ok(entries) = place.data_dir.read_dir() else {
        return;
    };
    for entry in entries.flatten() {
        if entry.file_name().to_string_lossy().starts_with(UNFINISHED)
            && let Err(error) = std::fs::remove_dir_all(entry.path())
        {
            tracing::warn!(path = %entry.path().display(), %error, "could not remove an unfinished cluster");
        }
    }
}

impl Postmaster {
    pub(super) fn adopted(pid: Pid) -> Self {
        Self::Adopted(pid)
    }

    /// Starts the server. Settings are given here and not in its file, because a newer heatstrip may choose others.
    pub(super) fn spawn(
        binaries: &Binaries,
        place: &Place,
        lifetime: Lifetime,
        chosen: &[(&str, &str)],
    ) -> Result<Self, LocalPostgresError> {
        // Tests run many databases, each with a pool, while `dev` has few connections but real data.
        let (shared_buffers, max_connections) = match lifetime {
            Lifetime::Process => ("128MB", "200"),
            Lifetime::Kept => ("256MB", "100"),
        };
        let socket_dir = place.socket_dir.to_string_lossy();
        let port = PORT.to_string();
        let settings = [
            ("listen_addresses", ""),
            ("port", &port),
            ("unix_socket_directories", &socket_dir),
            ("unix_socket_permissions", "0700"),
            ("shared_buffers", shared_buffers),
            ("max_connections", max_connections),
            // The server is as durable as the real thing, in tests too, because they kill it.
            ("fsync", "on"),
            ("synchronous_commit", "on"),
            ("full_page_writes", "on"),
            // Compiling costs more than our short statements take.
            ("jit", "off"),
            ("log_destination", "stderr"),
            ("logging_collector", "off"),
        ];
        let log = open_for_append(&place.log())?;
        let log_again = log.try_clone().map_err(LocalPostgresError::io("open the server's log twice"))?;
        let mut command = place.account.command(binaries.path("postgres"));
        command.arg("-D").arg(place.pgdata());
        // If a setting is given twice, the server takes the last.
        for (name, value) in settings.iter().chain(chosen) {
            command.args(["-c", &format!("{name}={value}")]);
        }
        command.stdout(Stdio::from(log)).stderr(Stdio::from(log_again));
        let child = command.spawn().map_err(LocalPostgresError::io("run postgres"))?;
        Ok(Self::Child(child))
    }

    /// Returns true if the server is gone. It also buries it, since a dead child still looks alive to others until
    /// then.
    pub(super) fn has_exited(&mut self, place: &Place) -> bool {
        match self {
            Self::Child(child) => !matches!(child.try_wait(), Ok(None)),
            Self::Adopted(pid) => {
                pid_on_file(place) != Some(*pid) || kill(*pid, None).err() == Some(Errno::ESRCH)
            }
        }
    }

    /// Stops the server and waits until it is gone.
    pub(super) async fn stop(
        &mut self,
        binaries: &Binaries,
        place: &Place,
        mode: StopMode,
    ) -> Result<(), LocalPostgresError> {
        if self.has_exited(place) {
            return Ok(());
        }
        let mut pg_ctl = place.account.command(binaries.path("pg_ctl"));
        // `pg_ctl` does not wait here: it would wait for the pid file to go, which a server that was killed never
        // removes.
        pg_ctl.args(["stop", "-s", "-W", "-m", mode.name(), "-D"]).arg(place.pgdata());
        let asked = run(pg_ctl).await;
        let deadline = Instant::now() + STOP_DEADLINE;
        while !self.has_exited(place) {
            // The server may have ended by itself in the meantime, so a complaint of pg_ctl only counts while it lives.
            if asked.is_err() {
                return asked.map(drop);
            }
            if Instant::now() >= deadline {
                return Err(LocalPostgresError::Program {
                    program: "pg_ctl stop".to_owned(),
                    detail: format!("the server still runs after {} s", STOP_DEADLINE.as_secs()),
                });
            }
            tokio::time::sleep(super::POLL).await;
        }
        Ok(())
    }

    /// Asks the server for a fast shutdown without waiting for it.
    pub(super) fn ask_to_stop(&mut self, place: &Place) {
        if self.has_exited(place) {
            return;
        }
        let pid = match self {
            // A process id is an i32 to the system; the standard library only shows it as a u32.
            Self::Child(child) => Pid::from_raw(child.id().cast_signed()),
            Self::Adopted(pid) => *pid,
        };
        // This can only fail because the server ended in this very moment.
        let _ = kill(pid, Signal::SIGINT);
    }
}

/// Returns the process id in `postmaster.pid`: that of a postmaster, or of one that was killed.
pub(super) fn pid_on_file(place: &Place) -> Option<Pid> {
    let text = std::fs::read_to_string(place.pgdata().join("postmaster.pid")).ok()?;
    let pid = text.lines().next()?.trim().parse().ok()?;
    (pid > 0).then(|| Pid::from_raw(pid))
}

/// Returns true if `pid` is a postmaster on this cluster. After a reboot it may well be somebody else's process, or
/// even another cluster's postmaster, and `pg_ctl stop` would not notice; so this looks at its working directory, which
/// is the cluster. Without a `/proc` the answer is no, and starting leaves the question to Postgres.
pub(super) async fn is_alive(place: &Place, pid: Pid) -> Result<bool, LocalPostgresError> {
    // The link is read as the server's user: in a container even root may lack the right to look at another user's
    // process.
    let mut readlink = place.account.command("readlink");
    readlink.arg(format!("/proc/{pid}/cwd"));
    let seen = output(readlink).await?;
    Ok(String::from_utf8_lossy(&seen.stdout).trim_end() == place.pgdata().to_string_lossy())
}

/// Returns how long the log is now. Lines after that are about the start that follows.
pub(super) fn log_length(place: &Place) -> u64 {
    place.log().metadata().map_or(0, |metadata| metadata.len())
}

/// Returns the last lines of the log, as far as they were written after `start`.
pub(super) fn log_tail(place: &Place, start: u64) -> String {
    let mut text = Vec::new();
    let read = open_log(place, start).and_then(|mut log| log.read_to_end(&mut text));
    match read {
        Ok(_) => last_lines(&String::from_utf8_lossy(&text)),
        Err(error) => format!("(could not be read: {error})"),
    }
}

fn open_log(place: &Place, start: u64) -> std::io::Result<std::fs::File> {
    let mut log = std::fs::File::open(place.log())?;
    log.seek(SeekFrom::Start(start))?;
    Ok(log)
}
