//! One run: a load on `serve` and `work` in a database of its own, and what came of it.

use std::{
    sync::Arc,
    sync::atomic::Ordering::Relaxed,
    time::{Duration, Instant},
};

use heatstrip::postgres::Store;
use tokio_postgres::Client;

use super::{
    SECS_PER_BEAT,
    generator::{Counts, Generator},
    watch::{Pids, Sample, Used, growth, watch},
};
use crate::{
    postgres::{self, Postgres},
    process::{Running, Server},
};

/// The most that the oldest queued heartbeat may wait at the end, in seconds.
pub const MAX_OLDEST: f64 = 30.0;
/// The most that its age, and the queue in seconds of the load, may grow over the last half of a run, in seconds: less
/// than they swing while lanes wait to be worth a step.
pub const MAX_GROWTH: f64 = 3.0;
/// A rate that lets heartbeats wait for so many seconds plainly does not hold.
const HOPELESS: f64 = 2.0 * MAX_OLDEST;
/// How long the drain may take.
const MAX_DRAIN: Duration = Duration::from_secs(1_200);

/// What a run is asked for.
#[derive(Clone, Copy)]
pub struct Asked {
    /// Heartbeats a second.
    pub rate: u64,
    pub lasts: Duration,
    pub kind: Kind,
}

/// What a run is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Whether the rate holds for a while; it ends early if it plainly does not.
    Trial,
    /// Whether it holds for long. If it does, the queue is drained and every play counted.
    Long,
    /// The same, but it goes on to the end and is drained and counted however it goes.
    Last,
}

/// What came of it.
pub struct Outcome {
    pub asked: Asked,
    pub samples: Vec<Sample>,
    pub counts: Arc<Counts>,
    /// Seconds of the load.
    pub took: f64,
    /// By how many seconds the oldest heartbeat's age has grown over the last half; and the queue, in seconds of the load.
    pub oldest_growth: f64,
    pub queue_growth: f64,
    pub cores: Vec<(String, f64)>,
    pub serve_memory: f64,
    pub work_memory: f64,
    pub backend_memory: f64,
    pub checked: Option<Checked>,
}

/// What the tables hold after the drain.
pub struct Checked {
    pub drained_secs: f64,
    /// Plays × seconds over all tables, and what was accepted.
    pub counted: i64,
    pub accepted: i64,
    /// The same sum over whole videos.
    pub whole: i64,
    pub set_aside: i64,
    pub heatmap_bytes: f64,
}

impl Outcome {
    /// Whether nothing was refused and the queue does not grow.
    pub fn holds(&self) -> bool {
        self.counts.refused() == 0
            && self.last_oldest() < MAX_OLDEST
            && self.oldest_growth <= MAX_GROWTH
            && self.queue_growth <= MAX_GROWTH
    }

    pub fn accepted(&self) -> f64 {
        self.counts.accepted.load(Relaxed) as f64
    }

    /// Age of the oldest queued heartbeat at the end.
    pub fn last_oldest(&self) -> f64 {
        self.samples.last().map_or(f64::NAN, |sample| sample.oldest)
    }
}

pub async fn run(postgres: &Postgres, asked: Asked) -> anyhow::Result<Outcome> {
    let (url, store) = postgres.heatstrip("sustained", 1).await?;
    postgres::settle(&url).await?;
    let client = postgres::connect(&format!("{url}&application_name=watch")).await?;
    let server = Server::start(&format!("{url}&application_name=serve"), &[])?;
    let worker = Running::start(&format!("{url}&application_name=work"), &["work"])?;
    let pids = Pids { serve: server.pid(), work: worker.pid(), postmaster: postgres.postmaster()? };
    let sessions = asked.rate as usize * SECS_PER_BEAT;
    eprintln!("{} heartbeats/s of {sessions} sessions for {:?}", asked.rate, asked.lasts);

    let generator =
        Generator::start(&server.url, asked.rate, sessions, chrono::Utc::now().timestamp() as u64)?;
    let begin = Instant::now();
    let before = Used::now(&client, &pids, &generator.counts).await?;
    let hopeless = |sample: &Sample| asked.kind != Kind::Last && sample.oldest > HOPELESS;
    let (samples, backend_memory) =
        watch(&store, &generator.counts, begin, asked.lasts, pids.postmaster, hopeless).await?;
    let cores = Used::now(&client, &pids, &generator.counts).await?.cores_since(&before);
    let took = begin.elapsed().as_secs_f64();
    let counts = generator.end()?;
    let mut outcome = Outcome {
        oldest_growth: growth(&samples, |sample| sample.oldest),
        queue_growth: growth(&samples, |sample| sample.queued) / asked.rate as f64,
        asked,
        samples,
        counts,
        took,
        cores,
        serve_memory: server.peak_memory(),
        work_memory: worker.peak_memory(),
        backend_memory,
        checked: None,
    };
    if asked.kind == Kind::Last || (asked.kind == Kind::Long && outcome.holds()) {
        let accepted = outcome.counts.accepted_secs.load(Relaxed) as i64;
        outcome.checked = Some(check(&client, &store, accepted).await?);
    }
    drop((server, worker, client));
    store.close();
    postgres.drop("sustained").await?;
    Ok(outcome)
}

/// Waits until everything is folded, then counts every play there is.
async fn check(client: &Client, store: &Store, accepted: i64) -> anyhow::Result<Checked> {
    let began = Instant::now();
    while store.queue_depth().await?.heartbeats > 0 {
        anyhow::ensure!(began.elapsed() < MAX_DRAIN, "the queue did not drain");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let drained_secs = began.elapsed().as_secs_f64();
    // One statement, so one snapshot: the worker may still compact.
    let row = client
        .query_one(
            "SELECT (SELECT coalesce(sum((end_sec - start_sec + 1)::bigint * plays), 0) FROM video_heatmap_shards)::bigint
                    + (SELECT coalesce(sum((end_sec - start_sec + 1)::bigint * plays), 0) FROM video_heatmap_runs)::bigint
                    + (SELECT coalesce(sum(plays), 0) FROM video_heatmap WHERE region <> 'GLOBAL')::bigint AS counted,
                (SELECT coalesce(sum(plays), 0) FROM video_heatmap_whole_shards)::bigint AS whole,
                (SELECT count(*) FROM heartbeat_queue_failed) AS set_aside",
            &[],
        )
        .await?;
    let sizes = postgres::sizes(client).await?;
    let of_heatmap = sizes.iter().filter(|(name, _)| name.starts_with("video_heatmap"));
    Ok(Checked {
        drained_secs,
        counted: row.get("counted"),
        accepted,
        whole: row.get("whole"),
        set_aside: row.get("set_aside"),
        heatmap_bytes: of_heatmap.map(|(_, bytes)| bytes).sum(),
    })
}
