//! How long a large day takes to compact, and how much memory: fills a private Postgres with shard rows of one day,
//! compacts them, and prints a line for `docs/benchmarks.md`.
//!
//! ```sh
//! cargo run --release --example compact_day -- 10000000
//! ```

use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use chrono::NaiveDate;
use heatstrip::{
    heatmap::compaction,
    postgres::{
        Store,
        local::{Lifetime, LocalPostgres},
        migrate::migrate,
    },
};

/// Seconds a video and regions a second; the number of videos makes up the rows.
const SECONDS: u64 = 250;
const REGIONS: u64 = 8;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let rows: u64 = std::env::args().nth(1).map_or(Ok(1_000_000), |text| text.parse())?;
    let videos = (rows / (SECONDS * REGIONS)).max(1);
    let rows = videos * SECONDS * REGIONS;
    let data_dir = std::env::temp_dir().join(format!("heatstrip-compact-day-{}", std::process::id()));
    let postgres = LocalPostgres::start(&data_dir, Lifetime::Process).await?;
    postgres.create_database("bench", None).await?;
    let url = postgres.url("bench");
    migrate(&url, 16).await?;
    fill(&url, videos).await?;

    let store = Store::connect(&url, 3).await?;
    let day = NaiveDate::from_ymd_opt(2026, 11, 20).expect("a day");
    let (stop, peak) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let watcher = {
        let (stop, peak, postmaster) = (Arc::clone(&stop), Arc::clone(&peak), postmaster(&postgres)?);
        std::thread::spawn(move || {
            while !stop.load(Ordering::Relaxed) {
                peak.fetch_max(backends_kib(postmaster), Ordering::Relaxed);
                std::thread::sleep(Duration::from_millis(100));
            }
        })
    };
    let started = Instant::now();
    let summary = compaction::run(&store, day, |_| ()).await?;
    let seconds = started.elapsed().as_secs_f64();
    stop.store(true, Ordering::Relaxed);
    watcher.join().expect("the watcher does not panic");
    println!(
        "| {rows} | {seconds:.0} s | {:.0} | {} MiB | {} MiB |",
        summary.rows as f64 / seconds,
        status_kib(std::process::id(), "VmHWM") / 1024,
        peak.load(Ordering::Relaxed) / 1024,
    );
    postgres.stop().await?;
    Ok(())
}

/// Sketches of 1 to 20 viewers, and of 2,000 in every hundredth row.
async fn fill(url: &str, videos: u64) -> anyhow::Result<()> {
    let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await?;
    tokio::spawn(connection);
    client
        .batch_execute(&format!(
            "SELECT ensure_shard_partition('2026-11-20');
             CREATE TEMP TABLE sketches AS
                SELECT n, (SELECT hll_add_agg(hll_hash_bigint(n * 10000 + v), 12, 5, -1, 1)
                    FROM generate_series(1, CASE WHEN n = 0 THEN 2000 ELSE 1 + n % 20 END) v) AS viewers
                FROM generate_series(0, 99) n;
             INSERT INTO video_heatmap_shards
                SELECT 'video-' || to_char(v, 'FM000000'), '2026-11-20', 'R' || r, s, v % 16, k.viewers, 1 + k.n
                FROM generate_series(1, {videos}) v, generate_series(1, {REGIONS}) r, generate_series(0, {SECONDS} - 1) s
                JOIN sketches k ON k.n = s % 100"
        ))
        .await?;
    client.batch_execute("VACUUM ANALYZE video_heatmap_shards").await?;
    Ok(())
}

fn postmaster(postgres: &LocalPostgres) -> anyhow::Result<u32> {
    let pid = fs::read_to_string(postgres.data_dir().join("pgdata/postmaster.pid"))?;
    Ok(pid.lines().next().unwrap_or("").parse()?)
}

/// The private memory of the largest child of the postmaster.
fn backends_kib(postmaster: u32) -> u64 {
    let Ok(children) = fs::read_to_string(format!("/proc/{postmaster}/task/{postmaster}/children")) else {
        return 0;
    };
    children
        .split_whitespace()
        .filter_map(|pid| pid.parse().ok())
        .map(|pid| status_kib(pid, "RssAnon"))
        .max()
        .unwrap_or(0)
}

fn status_kib(pid: u32, field: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with(field));
    line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok()).unwrap_or(0)
}
