//! The list of the most watched videos in a large catalogue.

use std::time::Instant;

use crate::{
    Plan,
    load::{Load, run},
    postgres::{self, Postgres},
    process::Server,
    report::{Goal, Section, Table, median, thousands},
};

pub const TITLE: &str = "The most watched of 100,000 videos";

pub async fn section(plan: &Plan) -> anyhow::Result<Section> {
    let postgres = Postgres::start().await?;
    let (url, _store) = postgres.heatstrip("videos", 2).await?;
    fill(&url, plan.catalogue).await?;
    postgres::settle(&url).await?;
    let mut rows = Vec::new();
    let mut slowest: f64 = 0.0;
    for rotation in ["daily", "monthly"] {
        let epochs = match rotation {
            "daily" => "SELECT d, d FROM generate_series(current_date - 40, current_date, '1 day') AS d",
            _ => "SELECT current_date - 40, current_date + 2",
        };
        postgres::connect(&url)
            .await?
            .batch_execute(&format!(
                "DELETE FROM salt_epochs;
                 INSERT INTO salt_epochs (first_day, last_day, rotation, salt, made_at)
                    SELECT e.first_day, e.last_day, '{rotation}', '\\x00', now() FROM ({epochs}) AS e (first_day, last_day)"
            ))
            .await?;
        let server = Server::start(&url, &[("HEATSTRIP_CACHE_TTL_SECS", "0")])?;
        for (what, query) in [
            ("28 days, today included and not compacted", String::new()),
            ("28 closed days, 100 videos", closed(28, "&limit=100")),
            ("7 closed days", closed(7, "")),
            ("28 closed days of one region", closed(28, "&region=JP")),
        ] {
            let mut times = Vec::new();
            for _ in 0..5 {
                let started = Instant::now();
                let text = reqwest_text(&format!("{}/v1/videos?{query}", server.url)).await?;
                times.push(started.elapsed().as_secs_f64() * 1e3);
                anyhow::ensure!(text.contains("video-000001"), "{text:.300}");
            }
            let median = median(times);
            slowest = slowest.max(median);
            rows.push(vec![format!("{what}, {rotation} rotation"), format!("{} ms", thousands(median))]);
        }
    }
    let server = Server::start(&url, &[])?;
    let load = Load { connections: 64, secs: 2, bodies: None, keyed: false };
    let cached = run(&format!("{}/v1/videos", server.url), &load)?;
    rows.push(vec!["cached".into(), format!("{} requests/s", thousands(cached))]);
    drop(server);
    postgres.stop().await?;
    Ok(Section {
        title: TITLE,
        text: "`GET /v1/videos` over HTTP without a cache, the median of 5. 100,000 videos (Zipf, the first with 20,000 viewers a day), each watched\n\
               on each of 28 days, in two regions: 8.4 million whole-video rows."
            .into(),
        tables: vec![Table::new(["list", "time"], rows)],
        goals: vec![Goal::at_most("the slowest of them, of a second", 1.0, slowest / 1e3)],
        ..Section::default()
    })
}

fn closed(days: i64, more: &str) -> String {
    let day = |before: i64| chrono::Utc::now().date_naive() - chrono::TimeDelta::days(before);
    format!("from={}&to={}{more}", day(days), day(1))
}

async fn reqwest_text(url: &str) -> anyhow::Result<String> {
    Ok(heatstrip::import::replay::client().get(url).send().await?.error_for_status()?.text().await?)
}

async fn fill(url: &str, videos: usize) -> anyhow::Result<()> {
    // A sketch of n viewers for each n that some video has, shared: what counts here are their sizes.
    postgres::connect(url)
        .await?
        .batch_execute(&format!(
            "SELECT ensure_canonical_partition((current_date - n)::date) FROM generate_series(0, 28) n;
             SELECT ensure_shard_partition(current_date);
             CREATE TABLE sizes AS SELECT v, greatest(1, 20000 / v) AS n FROM generate_series(1, {videos}) v;
             SET enable_hashagg = off;
             CREATE TABLE pool AS
                SELECT n, (SELECT hll_add_agg(hll_hash_bigint(v), 12, 5, -1, 1) FROM generate_series(1, n) v) AS viewers
                FROM (SELECT DISTINCT n FROM sizes) AS sizes;
             ANALYZE;
             INSERT INTO video_heatmap_whole
                SELECT 'video-' || to_char(v, 'FM000000'), d, r, 1199, viewers, n * 60
                FROM sizes JOIN pool USING (n), generate_series(current_date - 28, current_date - 1, '1 day') d,
                    unnest(ARRAY['GLOBAL', 'JP', 'KR']) r
                ORDER BY d, v, r;
             INSERT INTO video_heatmap_bounds (region, month, video_id, viewers)
                SELECT region, date_trunc('month', captured_on)::date, video_id, sum(round(hll_cardinality(viewers)))
                FROM video_heatmap_whole GROUP BY 1, 2, 3;
             INSERT INTO video_heatmap_whole_shards
                SELECT 'video-' || to_char(v, 'FM000000'), current_date, r, 1199, viewers, n * 60
                FROM sizes JOIN pool USING (n), unnest(ARRAY['JP', 'KR']) r;
             DROP TABLE pool"
        ))
        .await?;
    postgres::connect(url).await?.batch_execute("VACUUM ANALYZE").await?;
    Ok(())
}
