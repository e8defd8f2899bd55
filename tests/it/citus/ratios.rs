//! What a cluster costs beside one server, all of it on one machine: numbers to read, not to hold. On several machines the nodes
//! would work side by side.

use std::time::{Duration, Instant};

use rand::{Rng, RngExt};
use serde_json::{Value, json};

use super::pair::Pair;
use crate::support::{App, chance};

/// Set to say how many batches of 1,000 heartbeats are folded.
const BATCHES: &str = "HEATSTRIP_CITUS_BATCHES";
const VIDEOS: u32 = 500;
const READS: u32 = 40;

fn batch(rng: &mut impl Rng) -> Vec<Value> {
    (0..1_000)
        .map(|_| {
            let start = rng.random_range(0..1_200);
            json!({
                "video_id": format!("v{}", rng.random_range(0..VIDEOS)),
                "region": if rng.random_bool(0.5) { "JP" } else { "KR" },
                "viewer_id": format!("viewer {}", rng.random_range(0..100_000)),
                "start_sec": start,
                "end_sec": start + 9,
                "at": "2026-11-21T09:00:00Z",
            })
        })
        .collect()
}

/// The median of how long an answer takes, each of another video.
async fn median(app: &App, path: impl Fn(u32) -> String) -> Duration {
    let mut times = Vec::new();
    for read in 0..READS {
        let asked = Instant::now();
        app.json(&path(read)).await;
        times.push(asked.elapsed());
    }
    times.sort_unstable();
    times[times.len() / 2]
}

#[tokio::test]
async fn ratios_to_one_server() {
    let batches: u32 = std::env::var(BATCHES).map_or(2, |batches| batches.parse().expect("a number"));
    let Some(pair) = Pair::start("ratios").await else { return };
    let mut rng = chance();
    // The first fold of a day makes its partitions.
    pair.post(&batch(&mut rng)).await;
    pair.fold().await;
    for _ in 0..batches {
        pair.post(&batch(&mut rng)).await;
    }
    let mut folds = Vec::new();
    for app in [&pair.cluster, &pair.one] {
        let began = Instant::now();
        assert_eq!(app.fold().await, u64::from(batches) * 1_000);
        folds.push(began.elapsed());
    }
    println!("fold of {batches} x 1,000: cluster {:?}, one {:?}", folds[0], folds[1]);
    for (what, path) in [
        ("strip", (|n| format!("/v1/videos/v{n}/heatmap")) as fn(u32) -> String),
        ("views of a video", |n| format!("/v1/videos/v{n}/views")),
        ("list", |n| format!("/v1/videos?limit={}", 20 + n)),
    ] {
        let (cluster, one) = (median(&pair.cluster, path).await, median(&pair.one, path).await);
        println!("{what}: cluster {cluster:?}, one {one:?}");
    }
    for app in [&pair.cluster, &pair.one] {
        let began = Instant::now();
        let rows = heatstrip::heatmap::compaction::run(&app.store, super::pair::day(21), |_| ()).await;
        println!("compaction of {} rows: {:?}", rows.expect("a night").rows, began.elapsed());
    }
}
