//! The released binary as child processes, and what the kernel knows of them.

use std::{
    fs,
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::Context;
use nix::{sys::signal, unistd::Pid};

/// A running `heatstrip serve`; it is stopped when this is dropped.
pub struct Server {
    child: Child,
    pub url: String,
}

impl Server {
    pub fn start(database_url: &str, environment: &[(&str, &str)]) -> anyhow::Result<Self> {
        let mut child = heatstrip(database_url)
            .arg("serve")
            .env("HEATSTRIP_LISTEN", "127.0.0.1:0")
            .envs(environment.iter().copied())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().context("a pipe")?).read_line(&mut line)?;
        let url = line.trim().strip_prefix("listening on ").context("the server's address")?.to_owned();
        Ok(Server { child, url })
    }

    /// The most memory it has held, in bytes.
    pub fn peak_memory(&self) -> f64 {
        memory(self.child.id(), "VmHWM")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let pid = Pid::from_raw(self.child.id().cast_signed());
        // One that has ended by itself is no reason to fail here.
        let _ = signal::kill(pid, signal::Signal::SIGTERM);
        let _ = self.child.wait();
    }
}

/// What a child took.
pub struct Taken {
    pub time: Duration,
    pub peak_memory: f64,
    pub peak_backend_memory: f64,
}

/// Runs a command of the binary to its end.
pub fn run(database_url: &str, arguments: &[&str], postmaster: u32) -> anyhow::Result<Taken> {
    let started = Instant::now();
    let mut child = heatstrip(database_url).args(arguments).stdout(Stdio::null()).spawn()?;
    let (mut peak_memory, mut peak_backend_memory) = (0.0_f64, 0.0_f64);
    loop {
        // Before the wait: what has ended is not known any more.
        peak_memory = peak_memory.max(memory(child.id(), "VmHWM"));
        peak_backend_memory = peak_backend_memory.max(largest_child(postmaster));
        if let Some(status) = child.try_wait()? {
            anyhow::ensure!(status.success(), "heatstrip {arguments:?} failed");
            return Ok(Taken { time: started.elapsed(), peak_memory, peak_backend_memory });
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn heatstrip(database_url: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_heatstrip"));
    command.env("DATABASE_URL", database_url);
    command
}

/// The private memory of the largest child.
fn largest_child(parent: u32) -> f64 {
    let children = fs::read_to_string(format!("/proc/{parent}/task/{parent}/children")).unwrap_or_default();
    let pids = children.split_whitespace().filter_map(|pid| pid.parse().ok());
    pids.map(|pid| memory(pid, "RssAnon")).fold(0.0, f64::max)
}

fn memory(pid: u32, field: &str) -> f64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with(field));
    line.and_then(|line| line.split_whitespace().nth(1)?.parse::<f64>().ok()).unwrap_or(0.0) * 1024.0
}
