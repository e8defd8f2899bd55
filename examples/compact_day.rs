//! How long a large day takes to compact, and how much memory: fills a private Postgres with shard runs of one day, compacts
//! them, and prints a line for `docs/benchmarks.md`.
//!
//! ```sh
//! cargo run --release --example compact_day -- mixed 1000000   # shard runs of a second, most with a few viewers
//! cargo run --release --example compact_day -- tail 10000000   # watched seconds of films, a few viewers each
//! cargo run --release --example compact_day -- dense 19200 5   # shard runs of two videos that everybody watches, five times
//! ```

use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use heatstrip::{
    heatmap::compaction,
    postgres::{
        Store,
        local::{Lifetime, LocalPostgres},
        migrate::migrate,
    },
};
use tokio_postgres::Client;

const DAY: &str = "2026-11-20";

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let shape = arguments.next().unwrap_or_else(|| "mixed".to_owned());
    let size: u64 = arguments.next().map_or(Ok(1_000_000), |text| text.parse())?;
    let rounds: u64 = arguments.next().map_or(Ok(1), |text| text.parse())?;
    let data_dir = std::env::temp_dir().join(format!("heatstrip-compact-day-{}", std::process::id()));
    let postgres = LocalPostgres::start(&data_dir, Lifetime::Process).await?;
    postgres.create_database("bench", None).await?;
    let url = postgres.url("bench");
    migrate(&url, 16).await?;
    let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await?;
    tokio::spawn(connection);
    let store = Store::connect(&url, 3).await?;
    for _ in 0..rounds {
        fill(&client, &shape, size).await?;
        println!("| {shape} {size} | {} |", compact(&postgres, &client, &store).await?);
    }
    postgres.stop().await?;
    Ok(())
}

/// The cells of a line: rows moved and how long that took, memory of both sides, bytes before and after, rows after.
async fn compact(postgres: &LocalPostgres, client: &Client, store: &Store) -> anyhow::Result<String> {
    let before = bytes(client).await?;
    let (stop, peak) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let postmaster = postmaster(postgres)?;
    let watcher = {
        let (stop, peak) = (Arc::clone(&stop), Arc::clone(&peak));
        std::thread::spawn(move || {
            while !stop.load(Ordering::Relaxed) {
                peak.fetch_max(backends_kib(postmaster), Ordering::Relaxed);
                std::thread::sleep(Duration::from_millis(100));
            }
        })
    };
    let (ours, theirs) = (cpu_seconds(&[std::process::id()]), cpu_seconds(&backends(postmaster)));
    let started = Instant::now();
    let summary = compaction::run(store, DAY.parse()?, |_| ()).await?;
    let seconds = started.elapsed().as_secs_f64();
    let (ours, theirs) =
        (cpu_seconds(&[std::process::id()]) - ours, cpu_seconds(&backends(postmaster)) - theirs);
    stop.store(true, Ordering::Relaxed);
    watcher.join().expect("the watcher does not panic");
    let query = "SELECT (SELECT count(*) FROM video_heatmap_runs), (SELECT count(*) FROM video_heatmap)";
    let rows = client.query_one(query, &[]).await?;
    Ok(format!(
        "{} | {seconds:.1} s | {:.0} | {ours:.1} + {theirs:.1} s CPU | {} MiB | {} MiB | {:.1} MiB | {:.1} MiB | {} | {}",
        summary.rows,
        summary.rows as f64 / seconds,
        status_kib(std::process::id(), "VmHWM") / 1024,
        peak.load(Ordering::Relaxed) / 1024,
        before as f64 / 1_048_576.0,
        bytes(client).await? as f64 / 1_048_576.0,
        rows.get::<_, i64>(0),
        rows.get::<_, i64>(1),
    ))
}

async fn fill(client: &Client, shape: &str, size: u64) -> anyhow::Result<()> {
    let runs = match shape {
        // Sketches of 1 to 20 viewers, and of 2,000 in every hundredth second, of 8 regions.
        "mixed" => format!(
            "SELECT 'video-' || to_char(v, 'FM000000'), '{DAY}', 'R' || r, s, s, k.viewers, 1 + k.n
             FROM generate_series(1, {}) v, generate_series(1, 8) r, generate_series(0, 249) s
             JOIN (SELECT n, (SELECT hll_add_agg(hll_hash_bigint(n * 10000 + v), 12, 5, -1, 1)
                FROM generate_series(1, CASE WHEN n = 0 THEN 2000 ELSE 1 + n % 20 END) v) AS viewers
                FROM generate_series(0, 99) n) AS k ON k.n = s % 100",
            (size / 2_000).max(1)
        ),
        // Viewings of 90 minutes, two to five of a film, beat by beat of 10 seconds as they come in; some paused.
        "tail" => format!(
            "SELECT 'film-' || to_char(v / 3, 'FM000000'), '{DAY}', (ARRAY['JP', 'KR', 'US'])[1 + v % 3], b * 10,
                b * 10 + CASE WHEN b % 100 = 99 THEN 4 ELSE 9 END, hll_add(hll_empty(12, 5), hll_hash_bigint(v)), 1
             FROM generate_series(1, {}) v, generate_series(0, 539) b ORDER BY b + v % 400, v",
            size / 5_400
        ),
        // Every run is a second of one window and region, with some 1,500 of 15,000 viewers.
        "dense" => format!(
            "SELECT 'hit-' || v, '{DAY}', 'R' || r, s, s, k.viewers, 1500
             FROM generate_series(1, {}) w, generate_series(1, 2) v, generate_series(1, 8) r, generate_series(0, 599) s
             JOIN (SELECT n, hll_add_agg(hll_hash_bigint((n * 7919 + v * 10) % 15000), 12, 5, -1, 1) AS viewers
                FROM generate_series(0, 96) n, generate_series(1, 1500) v GROUP BY 1) AS k ON true
             WHERE k.n = (s + w * 31 + r * 7) % 97 ORDER BY w, v, s, r",
            (size / 9_600).max(1)
        ),
        other => anyhow::bail!("no shape {other:?}: mixed, tail or dense"),
    };
    client
        .batch_execute(&format!(
            "SELECT ensure_shard_partition('{DAY}');
             INSERT INTO video_heatmap_shards {runs};
             INSERT INTO video_heatmap_whole_shards
                SELECT video_id, captured_on, region, max(end_sec), hll_union_agg(viewers), sum(plays * (end_sec - start_sec + 1))
                FROM video_heatmap_shards GROUP BY 1, 2, 3"
        ))
        .await?;
    client.batch_execute("VACUUM ANALYZE").await?;
    Ok(())
}

/// Of all tables of the heatmap, indexes included.
async fn bytes(client: &Client) -> anyhow::Result<i64> {
    let query = "SELECT coalesce(sum(pg_total_relation_size(oid)), 0)::bigint FROM pg_class
        WHERE relname LIKE 'video\\_heatmap%' AND relkind = 'r'";
    Ok(client.query_one(query, &[]).await?.try_get(0)?)
}

fn postmaster(postgres: &LocalPostgres) -> anyhow::Result<u32> {
    let pid = fs::read_to_string(postgres.data_dir().join("pgdata/postmaster.pid"))?;
    Ok(pid.lines().next().unwrap_or("").parse()?)
}

/// The processor time of processes, which a busy machine does not change much.
fn cpu_seconds(pids: &[u32]) -> f64 {
    const TICKS_A_SECOND: f64 = 100.0;
    let ticks = |&pid: &u32| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        // The name of the program, in parentheses, is the second field and may hold spaces.
        let fields: Vec<&str> = stat.rsplit(") ").next().unwrap_or("").split_whitespace().collect();
        [11, 12].iter().filter_map(|&field| fields.get(field)?.parse::<f64>().ok()).sum::<f64>()
    };
    pids.iter().map(ticks).sum::<f64>() / TICKS_A_SECOND
}

/// The sessions of the database, as their processes' titles say.
fn backends(postmaster: u32) -> Vec<u32> {
    let children = fs::read_to_string(format!("/proc/{postmaster}/task/{postmaster}/children"));
    let is_session = |pid: &u32| {
        fs::read_to_string(format!("/proc/{pid}/cmdline")).is_ok_and(|title| title.contains(" bench "))
    };
    children
        .unwrap_or_default()
        .split_whitespace()
        .filter_map(|pid| pid.parse().ok())
        .filter(is_session)
        .collect()
}

/// The private memory of the largest child of the postmaster.
fn backends_kib(postmaster: u32) -> u64 {
    backends(postmaster).into_iter().map(|pid| status_kib(pid, "RssAnon")).max().unwrap_or(0)
}

fn status_kib(pid: u32, field: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with(field));
    line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok()).unwrap_or(0)
}
