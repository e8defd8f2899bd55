//! heatstrip without HTTP: heartbeats are made to wait in the queue, and folded as the worker folds them.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use chrono::Utc;
use heatstrip::{
    clock::Clock,
    events::{hashed::HashedHeartbeats, lane::lane},
    postgres::Store,
    queue::{
        Batch,
        batch_ids::{Accepted, Ring},
    },
    work::worker,
};
use tokio::task::JoinSet;

use crate::{
    audience::{self, Beat, hashed},
    process::Server,
    report::median,
};

/// Heartbeats of one group commit: what the intake gathers under load.
const GROUP: usize = 10_000;
/// Connections that fold.
pub const CONNECTIONS: usize = 2;
/// Heartbeats that wait before the clock starts.
pub const WINDOW: usize = 100_000;

/// Folds the beats window by window; returns how long the folding took.
pub async fn fold_in_windows(store: &Store, beats: &[Beat], window: usize) -> anyhow::Result<Duration> {
    let mut taken = Duration::ZERO;
    for window in beats.chunks(window) {
        enqueue(store, window).await?;
        let started = Instant::now();
        drain(store).await?;
        taken += started.elapsed();
    }
    Ok(taken)
}

/// Makes heartbeats wait in the queue.
pub async fn enqueue(store: &Store, beats: &[Beat]) -> anyhow::Result<()> {
    for group in beats.chunks(GROUP) {
        enqueue_hashed(store, &hashed(group)).await?;
    }
    Ok(())
}

/// Makes one group of heartbeats wait in the queue, a row a lane.
pub async fn enqueue_hashed(store: &Store, heartbeats: &HashedHeartbeats) -> anyhow::Result<()> {
    let mut lanes: BTreeMap<u16, HashedHeartbeats> = BTreeMap::new();
    for heartbeat in heartbeats.iter() {
        let heartbeat = heartbeat?;
        lanes.entry(lane(heartbeat.video_id, store.lanes())).or_default().push(&heartbeat);
    }
    let answer = Accepted { accepted: heartbeats.len(), rejected: "[]".into() };
    store.enqueue(Ring::Http, &[Batch { id: None, lanes, answer }], Utc::now()).await?;
    Ok(())
}

/// Folds until the queue is empty, as the worker's loop does.
async fn drain(store: &Store) -> anyhow::Result<()> {
    let mut workers = JoinSet::new();
    for _ in 0..CONNECTIONS {
        let store = store.clone();
        workers.spawn(async move {
            let clock = Clock::system();
            while let worker::Step::Folded { .. } = worker::step(&store, &clock, Duration::ZERO).await? {}
            anyhow::Ok(())
        });
    }
    while let Some(worker) = workers.join_next().await {
        worker??;
    }
    Ok(())
}

/// Milliseconds of a cold strip of a video over HTTP, the median of five that follow a first.
pub async fn strip_ms(url: &str, video_id: &str) -> anyhow::Result<f64> {
    let server = Server::start(url, &[("HEATSTRIP_CACHE_TTL_SECS", "0")])?;
    let client = heatstrip::import::replay::client();
    let day = audience::day();
    let mut strip = reqwest::Url::parse(&server.url)?;
    // The ids of recorded videos are addresses themselves, with slashes.
    strip
        .path_segments_mut()
        .expect("a server's URL has a path")
        .extend(["v1", "videos", video_id, "heatmap"]);
    strip.set_query(Some(&format!("from={day}&to={day}")));
    let mut times = Vec::new();
    for turn in 0..6 {
        let started = Instant::now();
        let answer = client.get(strip.clone()).send().await?.error_for_status()?.text().await?;
        if turn > 0 {
            times.push(started.elapsed().as_secs_f64() * 1e3);
        }
        anyhow::ensure!(answer.contains("\"bucket\""), "an empty strip: {answer:.200}");
    }
    Ok(median(times))
}
