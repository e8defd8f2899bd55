//! What is seen of a run while it goes on: a sample a second, and who used the cores.

use std::{
    collections::BTreeMap,
    sync::atomic::Ordering::Relaxed,
    time::{Duration, Instant},
};

use chrono::Utc;
use heatstrip::postgres::Store;
use tokio_postgres::Client;

use super::generator::Counts;
use crate::{cpu, process};

/// The system at one second of a run.
pub struct Sample {
    /// Seconds since the load began.
    pub at: f64,
    /// Age of the oldest queued heartbeat, in seconds.
    pub oldest: f64,
    /// Heartbeats in the queue.
    pub queued: f64,
    /// Heartbeats accepted so far, and requests refused.
    pub accepted: u64,
    pub refused: u64,
}

/// Who runs.
pub struct Pids {
    pub serve: u32,
    pub work: u32,
    pub postmaster: u32,
}

/// CPU time by who used it.
pub struct Used {
    since: Instant,
    by_name: BTreeMap<String, Duration>,
    idle: Duration,
}

/// Looks once a second for so long, or until it is hopeless; returns the most memory that a backend held, too.
pub async fn watch(
    store: &Store,
    counts: &Counts,
    begin: Instant,
    lasts: Duration,
    postmaster: u32,
    hopeless: impl Fn(&Sample) -> bool,
) -> anyhow::Result<(Vec<Sample>, f64)> {
    let (mut samples, mut peak_backend) = (Vec::new(), 0.0_f64);
    let mut ticks = tokio::time::interval(Duration::from_secs(1));
    ticks.tick().await;
    while begin.elapsed() < lasts {
        ticks.tick().await;
        let depth = store.queue_depth().await?;
        let oldest = depth.oldest.map_or(0.0, |oldest| (Utc::now() - oldest).as_seconds_f64().max(0.0));
        samples.push(Sample {
            at: begin.elapsed().as_secs_f64(),
            oldest,
            queued: depth.heartbeats as f64,
            accepted: counts.accepted.load(Relaxed),
            refused: counts.refused(),
        });
        peak_backend = peak_backend.max(process::largest_backend(postmaster));
        if samples.last().is_some_and(&hopeless) {
            break;
        }
    }
    Ok((samples, peak_backend))
}

impl Used {
    /// What has been used so far. Backends are told apart by the name that their URL gave them.
    pub async fn now(client: &Client, pids: &Pids, counts: &Counts) -> anyhow::Result<Self> {
        let mut by_name = BTreeMap::new();
        let generator = Duration::from_millis(counts.cpu_ms.load(Relaxed));
        by_name.insert("`heatstrip serve`".to_owned(), cpu::of_process(pids.serve));
        by_name.insert("`heatstrip work`".to_owned(), cpu::of_process(pids.work));
        by_name.insert("the load".to_owned(), generator);
        let itself = cpu::of_process(std::process::id()).saturating_sub(generator);
        by_name.insert("the watch (this program)".to_owned(), itself);
        let processes =
            "SELECT pid, CASE backend_type WHEN 'client backend' THEN 'backends of ' || application_name
                ELSE backend_type END AS name FROM pg_stat_activity";
        let mut named = Duration::ZERO;
        for row in client.query(processes, &[]).await? {
            let used = cpu::of_process(row.get::<_, i32>("pid").cast_unsigned());
            named += used;
            *by_name.entry(format!("Postgres: {}", row.get::<_, String>("name"))).or_default() += used;
        }
        let others = cpu::of_server(pids.postmaster).saturating_sub(named);
        by_name.insert("Postgres: its other processes".into(), others);
        Ok(Used { since: Instant::now(), by_name, idle: cpu::idle() })
    }

    /// Cores that each has kept busy since `before`, the busiest first, and those that nobody did.
    pub fn cores_since(&self, before: &Used) -> Vec<(String, f64)> {
        let elapsed = (self.since - before.since).as_secs_f64();
        let cores = |now: Duration, then: Duration| now.saturating_sub(then).as_secs_f64() / elapsed;
        let mut all: Vec<(String, f64)> = self
            .by_name
            .iter()
            .map(|(name, used)| {
                (name.clone(), cores(*used, before.by_name.get(name).copied().unwrap_or_default()))
            })
            .collect();
        all.sort_by(|a, b| b.1.total_cmp(&a.1));
        let idle = cores(self.idle, before.idle);
        let there = std::thread::available_parallelism().map_or(0.0, |cores| cores.get() as f64);
        let others = there - idle - all.iter().map(|(_, cores)| cores).sum::<f64>();
        all.push(("the rest of the machine".into(), others.max(0.0)));
        all.push(("idle".into(), idle));
        all
    }
}

/// By how much a value has grown over the last half of the samples, by the line through them.
pub fn growth(samples: &[Sample], value: impl Fn(&Sample) -> f64) -> f64 {
    let last = &samples[samples.len() / 2..];
    let count = last.len() as f64;
    let mean_at = last.iter().map(|sample| sample.at).sum::<f64>() / count;
    let mean = last.iter().map(&value).sum::<f64>() / count;
    let (mut along, mut across) = (0.0, 0.0);
    for sample in last {
        along += (sample.at - mean_at) * (value(sample) - mean);
        across += (sample.at - mean_at).powi(2);
    }
    let lasted = last.last().map_or(0.0, |sample| sample.at) - last.first().map_or(0.0, |sample| sample.at);
    if across > 0.0 { along / across * lasted } else { 0.0 }
}
