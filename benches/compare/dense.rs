//! Rows that everybody watches: what a heartbeat costs with its hot compaction, and how fast dense seconds are compacted.

use std::time::Duration;

use tokio_postgres::Client;

use crate::{
    Plan, growth,
    postgres::{self, Postgres},
    process::{self, Taken},
    report::{Goal, Section, Table, mebibytes, thousands},
};

pub const TITLE: &str = "Dense rows";

/// So few that all their seconds are watched by thousands.
const VIDEOS: usize = 2;
/// What counts as flat on a noisy machine.
const FLAT: f64 = 1.25;
/// Closed days that are compacted, of two videos in 8 regions.
const DAYS: i64 = 4;
const SECONDS: i64 = 1_200;
const ROWS: i64 = DAYS * 2 * 8 * SECONDS;
/// Dense shard rows of a second a CPU second that the earlier form compacted, both passes together, on the same rows: in
/// four rounds on 2026-11-24 each pass of 76,800 rows took 4.7 to 5.3 and 7.3 to 7.5 CPU seconds of Postgres.
const EARLIER: f64 = 12_400.0;

pub async fn section(plan: &Plan) -> anyhow::Result<Section> {
    let points = growth::measure_all(VIDEOS, plan.event_backlogs).await?;
    let [fresh, again] = compact().await?;
    let last = &points[points.len() - 1];
    let before = &points[points.len() - 2];
    let rate = |time: Duration| thousands(ROWS as f64 / time.as_secs_f64());
    let row = |what: &str, taken: &Taken| {
        vec![
            what.to_owned(),
            rate(taken.time),
            rate(taken.cpu),
            mebibytes(taken.peak_memory),
            mebibytes(taken.peak_backend_memory),
        ]
    };
    let cpu_rate = 2.0 * ROWS as f64 / (fresh.cpu + again.cpu).as_secs_f64();
    Ok(Section {
        title: TITLE,
        text: format!(
            "First as in the section before, with {VIDEOS} videos that everybody watches, as in the hours of an event. Then `heatstrip compact` of\n\
             {} dense shard runs of a second (6,000 viewers each, {DAYS} days, two videos, 8 regions): into nothing, and once more into the rows of\n\
             seconds that the first time has left. CPU is the job's and Postgres'.",
            thousands(ROWS as f64)
        ),
        tables: vec![
            growth::table(&points),
            Table::new(
                ["compaction of dense seconds", "rows/s", "rows/CPU-second", "job", "backend"],
                vec![
                    row("the first time", &fresh),
                    row("into rows that are there", &again),
                    vec![
                        "the earlier form, both together (2026-11-24)".into(),
                        String::new(),
                        thousands(EARLIER),
                        String::new(),
                        String::new(),
                    ],
                ],
            ),
        ],
        goals: vec![
            Goal::at_most("µs a heartbeat, hot compaction included, largest backlog", 8.0, last.micros()),
            Goal::at_most(
                "cost of a heartbeat, largest backlog / the one before",
                FLAT,
                last.micros() / before.micros(),
            ),
            Goal::at_most(
                "cold strip, largest backlog / the one before",
                FLAT,
                last.read_ms / before.read_ms,
            ),
            Goal::at_least(
                "compaction, rows/CPU-second of both / the earlier form's",
                3.0,
                cpu_rate / EARLIER,
            ),
        ],
        pictures: growth::pictures(&points, "growth-dense", "2 videos that everybody watches"),
        ..Section::default()
    })
}

/// Compacts dense seconds into nothing, and again into what is there.
async fn compact() -> anyhow::Result<[Taken; 2]> {
    let postgres = Postgres::start().await?;
    let (url, store) = postgres.heatstrip("dense", 1).await?;
    store.close();
    let client = postgres::connect(&url).await?;
    fill(&client, 0).await?;
    postgres::settle(&url).await?;
    let fresh = process::run(&url, &["compact"], postgres.postmaster()?)?;
    let spread: i64 = client.query_one("SELECT count(*) FROM video_heatmap_spread", &[]).await?.get(0);
    anyhow::ensure!(spread == 2 * DAYS, "{spread} spread blocks");
    fill(&client, 1).await?;
    postgres::settle(&url).await?;
    let again = process::run(&url, &["compact"], postgres.postmaster()?)?;
    let left: i64 = client.query_one("SELECT count(*) FROM video_heatmap_shards", &[]).await?.get(0);
    anyhow::ensure!(left == 0, "{left} shard runs are left");
    postgres.stop().await?;
    Ok([fresh, again])
}

/// Neighbours differ in their plays, so that each second stays a run of its own.
async fn fill(client: &Client, pass: i64) -> anyhow::Result<()> {
    client
        .batch_execute(&format!(
            "CREATE TEMP TABLE pool AS
                SELECT n, (SELECT hll_add_agg(hll_hash_bigint(n * 500 + v), 12, 5, -1, 1) FROM generate_series(1, 6000) v) AS viewers
                FROM generate_series(0, 63) n;
             SELECT ensure_shard_partition((current_date - n)::date) FROM generate_series(1, {DAYS}) n;
             INSERT INTO video_heatmap_shards
                SELECT 'dense-' || v, current_date - d, 'R' || r, s, s, p.viewers, 6000 + s % 2
                FROM generate_series(1, {DAYS}) d CROSS JOIN generate_series(1, 2) v CROSS JOIN generate_series(1, 8) r
                CROSS JOIN generate_series(0, {SECONDS} - 1) s
                JOIN pool p ON p.n = (s / 20 + r + d + {pass}) % 64;
             DROP TABLE pool"
        ))
        .await?;
    client.batch_execute("VACUUM ANALYZE video_heatmap_shards").await?;
    Ok(())
}
