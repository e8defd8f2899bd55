//! Peers that are no part of this program: scripts in `benches/peers`, each prints what it measured as a line of JSON.

use std::{
    io::{BufRead, BufReader, Write},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use anyhow::Context;
use serde_json::Value;

/// Runs a peer's script. One that cannot be had on this machine is left out, with a line that says so.
pub fn run(script: &str, arguments: &[&str]) -> Option<Value> {
    let output = command(script, arguments).output().ok()?;
    let line = String::from_utf8_lossy(&output.stdout).lines().last().unwrap_or("").to_owned();
    let answer = serde_json::from_str(&line).ok().filter(|_| output.status.success());
    if answer.is_none() {
        eprintln!("{script} did not run: {}", output.status);
    }
    answer
}

/// A number of a peer's answer.
pub fn number(answer: &Value, name: &str) -> f64 {
    answer[name].as_f64().unwrap_or(f64::NAN)
}

/// A peer that reads once whenever it is asked to, so that it can be measured in turns with others.
pub struct Reader {
    child: Child,
    ask: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Reader {
    /// Starts a script and waits until it has what it reads. One that cannot be had is left out.
    pub fn start(script: &str) -> Option<Self> {
        let mut child = command(script, &[]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().ok()?;
        let (ask, answers) = (child.stdin.take()?, BufReader::new(child.stdout.take()?));
        let mut reader = Reader { child, ask, answers };
        match reader.line() {
            Ok(line) if line == "ready" => Some(reader),
            _ => {
                eprintln!("{script} did not run");
                None
            }
        }
    }

    /// Reads once; returns the milliseconds that took by the peer's own clock.
    pub fn read(&mut self) -> anyhow::Result<f64> {
        self.ask.write_all(b"\n")?;
        self.line()?.parse().context("a peer said no number")
    }

    fn line(&mut self) -> anyhow::Result<String> {
        let mut line = String::new();
        self.answers.read_line(&mut line)?;
        Ok(line.trim().to_owned())
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        // It ends when nobody asks any more; one that does not has nothing to lose.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn command(script: &str, arguments: &[&str]) -> Command {
    // What `script/bench` prepared; by hand any Python that has the packages will do.
    let python = std::env::var("HEATSTRIP_BENCH_PYTHON").unwrap_or_else(|_| "python3".into());
    let path = format!("{}/benches/peers/{script}", env!("CARGO_MANIFEST_DIR"));
    eprintln!("{script} {}", arguments.join(" "));
    let mut command = Command::new(python);
    command.arg(path).args(arguments).stderr(Stdio::inherit());
    command
}
