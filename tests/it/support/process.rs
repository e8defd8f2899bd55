//! Runs the real binary as a process of its own, which is killed when it is dropped, so that no failed test leaves one
//! behind.

use std::{
    fs::OpenOptions,
    os::unix::process::ExitStatusExt,
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tokio::process::{Child, Command};

/// A state that is waited for is looked at this often.
const POLL: Duration = Duration::from_millis(5);

/// Returns a command of `heatstrip` with these arguments and no setting from the developer's own environment.
pub fn heatstrip(arguments: &[&str]) -> Command {
    heatstrip_at(Path::new(env!("CARGO_BIN_EXE_heatstrip")), arguments)
}

/// Returns a command of another version's program, likewise.
pub fn heatstrip_at(program: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).kill_on_drop(true);
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        if name.starts_with("HEATSTRIP_") || name.starts_with("DATABASE_URL") {
            command.env_remove(&*name);
        }
    }
    command
}

/// A process that is running, or was.
pub struct Process {
    name: String,
    log: PathBuf,
    child: Child,
}

impl Process {
    /// Starts a command whose output goes to the end of `log`.
    pub fn start(mut command: Command, log: &Path) -> Process {
        let file = OpenOptions::new().create(true).append(true).open(log).expect("a log");
        let child = command
            .stdout(file.try_clone().expect("a second handle"))
            .stderr(file)
            .spawn()
            .expect("the binary is there");
        let name = log.file_stem().expect("a log has a name").to_string_lossy().into_owned();
        let log = log.to_owned();
        Process { name, log, child }
    }

    /// Returns what the process has written so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).expect("the log")
    }

    /// Returns true if the process ended by itself.
    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().expect("a child").is_some()
    }

    /// Fails the test if the process ended by itself.
    pub fn assert_runs(&mut self) {
        if let Some(status) = self.child.try_wait().expect("a child") {
            panic!("{} ended by itself, {status}:\n{}", self.name, self.log());
        }
    }

    /// Sends SIGKILL, which leaves the process no time to do anything; it must have been running until then.
    pub async fn kill(&mut self) {
        self.signal(Signal::SIGKILL);
        let status = self.child.wait().await.expect("a child");
        assert_eq!(status.signal(), Some(Signal::SIGKILL as i32), "{}", self.log());
    }

    /// Sends SIGTERM, after which the process must end in good order within `limit`. Returns how long that took.
    pub async fn terminate(&mut self, limit: Duration) -> Duration {
        let asked = Instant::now();
        self.signal(Signal::SIGTERM);
        let status = self.wait(limit).await;
        assert!(status.success(), "{}: {status}\n{}", self.name, self.log());
        asked.elapsed()
    }

    /// Waits until the process ends by itself.
    pub async fn wait(&mut self, limit: Duration) -> ExitStatus {
        match tokio::time::timeout(limit, self.child.wait()).await {
            Ok(status) => status.expect("a child"),
            Err(_) => panic!("{} still runs after {limit:?}:\n{}", self.name, self.log()),
        }
    }

    fn signal(&mut self, signal: Signal) {
        self.assert_runs();
        let pid = self.child.id().expect("it runs").cast_signed();
        kill(Pid::from_raw(pid), signal).expect("a child can be signalled");
    }
}

/// Looks until there is something to see, and fails the test after `limit`.
pub async fn until<T>(what: &str, limit: Duration, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + limit;
    loop {
        if let Some(seen) = look().await {
            return seen;
        }
        assert!(Instant::now() < deadline, "not within {limit:?}: {what}");
        tokio::time::sleep(POLL).await;
    }
}
