//! The released binary as child processes, and what the kernel knows of them.

use std::{
    fs,
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::Context;
use nix::{sys::signal, unistd::Pid};

use crate::cpu;

/// A command that stays; it is stopped when this is dropped.
pub struct Running(Child);

/// A running `heatstrip serve`.
pub struct Server {
    process: Running,
    pub url: String,
}

impl Running {
    /// Starts a command that says nothing of use.
    pub fn start(database_url: &str, arguments: &[&str]) -> anyhow::Result<Self> {
        Ok(Running(heatstrip(database_url).args(arguments).stdout(Stdio::null()).spawn()?))
    }

    pub fn pid(&self) -> u32 {
        self.0.id()
    }

    /// The most memory it has held, in bytes.
    pub fn peak_memory(&self) -> f64 {
        memory(self.0.id(), "VmHWM")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let pid = Pid::from_raw(self.0.id().cast_signed());
        // One that has ended by itself is no reason to fail here.
        let _ = signal::kill(pid, signal::Signal::SIGTERM);
        let _ = self.0.wait();
    }
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
        Ok(Server { process: Running(child), url })
    }

    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// The most memory it has held, in bytes.
    pub fn peak_memory(&self) -> f64 {
        self.process.peak_memory()
    }
}

/// What a child took.
pub struct Taken {
    pub time: Duration,
    /// CPU time of the child and of the server's processes.
    pub cpu: Duration,
    pub peak_memory: f64,
    pub peak_backend_memory: f64,
}

/// Runs a command of the binary to its end.
pub fn run(database_url: &str, arguments: &[&str], postmaster: u32) -> anyhow::Result<Taken> {
    let used = || cpu::of_server(postmaster) + cpu::of_ended_children();
    let (started, used_before) = (Instant::now(), used());
    let mut child = heatstrip(database_url).args(arguments).stdout(Stdio::null()).spawn()?;
    let (mut peak_memory, mut peak_backend_memory) = (0.0_f64, 0.0_f64);
    loop {
        // Before the wait: what has ended is not known any more.
        peak_memory = peak_memory.max(memory(child.id(), "VmHWM"));
        peak_backend_memory = peak_backend_memory.max(largest_backend(postmaster));
        if let Some(status) = child.try_wait()? {
            anyhow::ensure!(status.success(), "heatstrip {arguments:?} failed");
            let cpu = used().saturating_sub(used_before);
            return Ok(Taken { time: started.elapsed(), cpu, peak_memory, peak_backend_memory });
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The private memory of the largest process of a server.
pub fn largest_backend(postmaster: u32) -> f64 {
    cpu::children(postmaster).into_iter().map(|pid| memory(pid, "RssAnon")).fold(0.0, f64::max)
}

fn heatstrip(database_url: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_heatstrip"));
    command.env("DATABASE_URL", database_url);
    command
}

fn memory(pid: u32, field: &str) -> f64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with(field));
    line.and_then(|line| line.split_whitespace().nth(1)?.parse::<f64>().ok()).unwrap_or(0.0) * 1024.0
}
