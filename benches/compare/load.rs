//! Load on loopback, by `wrk`.

use std::{path::Path, process::Command};

use anyhow::Context;

/// What is sent.
pub struct Load<'a> {
    pub connections: u32,
    pub secs: u32,
    /// Bodies to post, a line each; left out, it is a GET.
    pub bodies: Option<&'a Path>,
    /// Whether each post has an idempotency key of its own.
    pub keyed: bool,
}

/// Requests a second that were answered 2xx.
pub fn run(url: &str, load: &Load<'_>) -> anyhow::Result<f64> {
    let mut command = Command::new("wrk");
    command.args([
        "-t",
        "2",
        "-c",
        &load.connections.to_string(),
        "-d",
        &format!("{}s", load.secs),
        "--timeout",
        "20s",
    ]);
    if load.bodies.is_some() {
        command.args(["-s", concat!(env!("CARGO_MANIFEST_DIR"), "/benches/compare/wrk/post.lua")]);
    }
    command.arg(url);
    if let Some(bodies) = load.bodies {
        command.arg("--").arg(bodies).arg(if load.keyed { "keyed" } else { "unkeyed" });
    }
    let output = command.output().context("wrk is not installed: apt-get install wrk")?;
    let text = String::from_utf8_lossy(&output.stdout);
    anyhow::ensure!(!text.contains("Non-2xx"), "not everything was answered 2xx:\n{text}");
    let line = text.lines().find_map(|line| line.strip_prefix("Requests/sec:"));
    Ok(line.with_context(|| format!("wrk said nothing of use: {text}"))?.trim().parse()?)
}

/// Both in turns, twice: the ratio of the first to the second, and their medians.
pub fn in_turns(ours: &str, theirs: &str, load: &Load<'_>) -> anyhow::Result<(f64, f64)> {
    let (mut our_rates, mut their_rates) = (Vec::new(), Vec::new());
    for _ in 0..3 {
        our_rates.push(run(ours, load)?);
        their_rates.push(run(theirs, load)?);
    }
    Ok((crate::report::median(our_rates), crate::report::median(their_rates)))
}
