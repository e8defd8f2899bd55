//! Peers that are no part of this program: scripts in `benches/peers`, each prints what it measured as a line of JSON.

use std::process::{Command, Stdio};

use serde_json::Value;

/// Runs a peer's script. One that cannot be had on this machine is left out, with a line that says so.
pub fn run(script: &str, arguments: &[&str]) -> Option<Value> {
    // What `script/bench` prepared; by hand any Python that has the packages will do.
    let python = std::env::var("HEATSTRIP_BENCH_PYTHON").unwrap_or_else(|_| "python3".into());
    let path = format!("{}/benches/peers/{script}", env!("CARGO_MANIFEST_DIR"));
    eprintln!("{script} {}", arguments.join(" "));
    let output = Command::new(python).arg(path).args(arguments).stderr(Stdio::inherit()).output().ok()?;
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
