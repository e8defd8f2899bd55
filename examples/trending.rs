//! Measures what trending costs on a private Postgres: how long a list takes at a million videos, cold and warm, and what folding
//! new viewers into it costs. `docs/trending.md` has its numbers.
//!
//! ```sh
//! cargo run --release --example trending
//! ```

use std::time::Instant;

use chrono::{TimeDelta, Utc};
use heatstrip::{
    postgres::{
        Store,
        local::{Lifetime, LocalPostgres},
        migrate::migrate,
    },
    views::{
        store::trending::TrendingQuery,
        trending::{By, rank},
    },
};
use tokio_postgres::NoTls;

/// Videos that somebody viewed in the last days.
const VIDEOS: i64 = 1_000_000;
/// Lists are asked for so often.
const READS: usize = 200;
/// The floor of the settings.
const FLOOR: f64 = 5.0;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let place = std::env::temp_dir().join(format!("heatstrip-trending-{}", std::process::id()));
    let postgres = LocalPostgres::start(&place, Lifetime::Process).await?;
    postgres.create_database("trending", None).await?;
    let url = postgres.url("trending");
    migrate(&url, 16).await?;
    let (client, connection) = tokio_postgres::connect(&url, NoTls).await?;
    tokio::spawn(connection);
    // Masses as Zipf has them, written over the last three days; half of the rows are of regions.
    let now = Utc::now();
    client
        .execute(
            "INSERT INTO trending (video_id, region, recent, baseline, at, born, recent_key, baseline_key)
             SELECT 'video-' || n, r, m.recent, m.baseline, m.at, m.at - interval '5 days',
                floor(4 * (ln(m.recent) / ln(2.0) + extract(epoch FROM m.at) / 21600)),
                floor(4 * (ln(m.baseline) / ln(2.0) + extract(epoch FROM m.at) / 259200))
             FROM generate_series(1, $2::bigint) n, unnest(ARRAY['GLOBAL', 'JP']) r,
                LATERAL (SELECT 1 + 300000.0 / n AS recent, 1 + 2000000.0 / n AS baseline,
                    $1::timestamptz - interval '1 second' * ((n * 7919) % 259200) AS at) m",
            &[&now, &VIDEOS],
        )
        .await?;
    client.batch_execute("VACUUM ANALYZE trending").await?;
    client.batch_execute("CHECKPOINT").await?;
    let size: String =
        client.query_one("SELECT pg_size_pretty(pg_total_relation_size('trending'))", &[]).await?.get(0);
    println!("{} rows, {size} with all indexes", 2 * VIDEOS);

    let store = Store::connect(&url, 2).await?;
    for (name, by) in [("rise", By::Rise), ("hot", By::Hot), ("top", By::Top)] {
        let asked = TrendingQuery { by, region: "GLOBAL".into(), limit: 100 };
        let mut times = Vec::with_capacity(READS);
        let mut listed = 0;
        for read in 0..READS {
            let now = now + TimeDelta::seconds(read as i64);
            let began = Instant::now();
            let (candidates, half_lives) = store.read_trending(&asked, FLOOR, now).await?;
            listed = candidates.len();
            let trends = rank(by, candidates, now, half_lives);
            times.push(began.elapsed());
            assert!(!trends.is_empty(), "somebody is listed");
        }
        let first = times[0];
        times.sort_unstable();
        println!(
            "{name}: {listed} candidates; first {first:.1?}, median {:.1?}, 99 % {:.1?}",
            times[READS / 2],
            times[READS * 99 / 100]
        );
    }
    store.close();
    postgres.stop().await?;
    std::fs::remove_dir_all(&place)?;
    Ok(())
}
