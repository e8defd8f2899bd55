//! How long Postgres plans a strip when a database has three years of partitions.

use heatstrip::heatmap::store::sql;
use tokio_postgres::Client;

use crate::{
    postgres::{self, Postgres},
    report::{Goal, Section, Table, median},
};

pub const TITLE: &str = "Planning";

/// Plans of each range in one session.
const TURNS: usize = 9;

pub async fn section() -> anyhow::Result<Section> {
    let postgres = Postgres::start().await?;
    let (url, store) = postgres.heatstrip("planning", 1).await?;
    store.close();
    fill(&postgres::connect(&url).await?).await?;
    let (mut rows, mut slowest) = (Vec::new(), 0.0_f64);
    for (what, days) in [("one day", 1), ("28 days", 28), ("three years", 1_095)] {
        // The first plan of a session reads the catalogue, which the connections of a pool have behind them.
        let client = postgres::connect(&url).await?;
        let mut times = Vec::new();
        for _ in 0..TURNS {
            times.push(planning_ms(&client, days).await?);
        }
        let (first, again) = (times[0], median(times[1..].to_vec()));
        slowest = slowest.max(again);
        rows.push(vec![what.to_owned(), format!("{first:.1} ms"), format!("{again:.1} ms")]);
    }
    postgres.stop().await?;
    Ok(Section {
        title: TITLE,
        text: format!(
            "What `EXPLAIN (SUMMARY)` says of the strip's statement in a database with three years of partitions, two days of them open; every day\n\
             has rows of each kind. The first plan of a session, and the median of the {} that follow.",
            TURNS - 1
        ),
        tables: vec![Table::new(["range", "first", "again"], rows)],
        goals: vec![Goal::at_most("the slowest of them, in ms", 10.0, slowest)],
        ..Section::default()
    })
}

/// Three years of a few videos in every form, and two open days.
async fn fill(client: &Client) -> anyhow::Result<()> {
    client
        .batch_execute(
            "SELECT ensure_canonical_partition((current_date - n)::date) FROM generate_series(0, 1100) n;
             SELECT ensure_shard_partition(current_date), ensure_shard_partition(current_date - 1);
             CREATE TEMP TABLE sketch AS SELECT hll_add_agg(hll_hash_bigint(v), 12, 5, -1, 1) AS viewers FROM generate_series(1, 9) v;
             CREATE TEMP TABLE days AS SELECT (current_date - n)::date AS day FROM generate_series(2, 1100) n;
             INSERT INTO video_heatmap SELECT 'v' || v, day, r, s, viewers, 9
                FROM sketch, days, generate_series(1, 4) v, unnest(ARRAY['GLOBAL', 'JP']) r, generate_series(0, 11) s;
             INSERT INTO video_heatmap_5s SELECT video_id, captured_on, region, bucket_sec * 5, bucket_sec * 5 + 4, viewers, plays
                FROM video_heatmap;
             INSERT INTO video_heatmap_60s SELECT video_id, captured_on, region, bucket_sec * 60, bucket_sec * 60 + 59, viewers, plays
                FROM video_heatmap;
             INSERT INTO video_heatmap_runs SELECT 't' || v, day, 'JP', s * 60, s * 60 + 59, viewers, 9
                FROM sketch, days, generate_series(1, 4) v, generate_series(0, 11) s;
             INSERT INTO video_heatmap_shards SELECT 'v' || v, d, 'JP', s * 60, s * 60 + 59, viewers, 9
                FROM sketch, unnest(ARRAY[current_date, current_date - 1]) d, generate_series(1, 400) v, generate_series(0, 19) s;
             ANALYZE",
        )
        .await?;
    Ok(())
}

/// Planned as a read plans it: with its settings, in a transaction of its own.
async fn planning_ms(client: &Client, days: i32) -> anyhow::Result<f64> {
    client.batch_execute("BEGIN").await?;
    client.batch_execute(sql::PREPARE_READ).await?;
    client.batch_execute(&format!("PREPARE asked AS {}", sql::READ_STRIP)).await?;
    let asked = format!(
        "EXPLAIN (SUMMARY) EXECUTE asked ('v2', current_date - {days}, current_date, '{{GLOBAL}}', NULL,
            ARRAY[current_date - {days}], 5, '{{}}', 86399, 86400, '0001-01-01')"
    );
    let lines = client.query(&asked, &[]).await?;
    client.batch_execute("DEALLOCATE asked; COMMIT").await?;
    let line = lines.iter().map(|line| line.get::<_, String>(0)).find_map(|line| {
        let time = line.strip_prefix("Planning Time: ")?.strip_suffix(" ms")?;
        time.parse().ok()
    });
    line.ok_or_else(|| anyhow::anyhow!("EXPLAIN named no planning time"))
}
