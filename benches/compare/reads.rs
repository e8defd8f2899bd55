//! Cold strips of a video whose sketches are all dense, beside the article's query on the same sketches.

use std::time::Instant;

use heatstrip::events::lane::lane;
use tokio_postgres::Client;

use crate::{
    Plan,
    postgres::{self, Postgres},
    process::{self, Server},
    report::{Goal, Section, median},
};

/// The article's read of a whole video at 5 s.
const ARTICLE: &str = "SELECT (bucket_sec / $1) * $1 AS bucket, hll_cardinality(hll_union_agg(viewers))::int AS viewers
    FROM article WHERE video_id = $2 AND ($3 = 'GLOBAL' OR region = $3) GROUP BY bucket_sec / $1 ORDER BY bucket";
const DAYS: i64 = 28;

/// Milliseconds.
struct Measured {
    article: f64,
    day: f64,
    days: f64,
    half: f64,
}

pub async fn section(plan: &Plan) -> anyhow::Result<Section> {
    let postgres = Postgres::start().await?;
    let turns = if plan.quick { 5 } else { 15 };
    let daily = ("daily rotation", measure(&postgres, "daily", turns).await?);
    // Filling a database with four weeks takes most of the time; the essential comparison does it once.
    let monthly = match plan.quick {
        true => None,
        false => Some(("monthly rotation", measure(&postgres, "monthly", turns).await?)),
    };
    postgres.stop().await?;
    let columns: Vec<(&str, Measured)> = [Some(daily), monthly].into_iter().flatten().collect();
    let row = |what: &str, value: fn(&Measured) -> f64| {
        let cells = columns.iter().map(|(_, measured)| format!("{:.1} ms", value(measured)));
        std::iter::once(what.to_owned()).chain(cells).collect()
    };
    let mut goals = Vec::new();
    // Four weeks of one epoch are united; of daily ones their counts are added.
    for ((rotation, measured), most) in columns.iter().zip([5.0, 8.0]) {
        let (day, days) = (measured.article / measured.day, measured.days / measured.day);
        goals.push(Goal::at_least(format!("article / one closed day, {rotation}"), 10.0, day));
        goals.push(Goal::at_most(format!("28 closed days / one, {rotation}"), most, days));
        let half = measured.half / measured.article;
        goals.push(Goal::at_most(format!("half-compacted today / article, {rotation}"), 2.5, half));
    }
    Ok(Section {
        title: "Cold strips",
        text: format!(
            "A video of 20 minutes in 8 regions, all sketches dense, `GLOBAL`, 5 s, over HTTP without a strip cache; the article's query on the\n\
             same sketches (its table, its covering index), through a prepared statement. In turns, the median of {turns}. The half day: every row of\n\
             the day is there twice, compacted and as a shard row."
        ),
        head: std::iter::once("read").chain(columns.iter().map(|(rotation, _)| *rotation)).collect(),
        rows: vec![
            row("the article's query, one day", |measured| measured.article),
            row("one closed day", |measured| measured.day),
            row("28 closed days", |measured| measured.days),
            row("today, half of it not compacted", |measured| measured.half),
        ],
        goals,
        pictures: Vec::new(),
    })
}

async fn measure(postgres: &Postgres, rotation: &str, turns: usize) -> anyhow::Result<Measured> {
    let (url, store) = postgres.heatstrip(rotation, 2).await?;
    let lane = lane("film", store.lanes());
    let client = postgres::connect(&url).await?;
    fill(&client, rotation, lane).await?;
    process::run(&url, &["compact"], postgres.postmaster()?)?;
    fill_half(&client, lane).await?;
    client.batch_execute("VACUUM ANALYZE").await?;
    postgres::settle(&url).await?;

    let server = Server::start(&url, &[("HEATSTRIP_CACHE_TTL_SECS", "0")])?;
    let http = heatstrip::import::replay::client();
    let article = client.prepare_typed(ARTICLE, &[]).await?;
    let today = chrono::Utc::now().date_naive();
    let day = |before: i64| today - chrono::TimeDelta::days(before);
    let strip = |from, to| format!("{}/v1/videos/film/heatmap?from={from}&to={to}", server.url);
    let questions = [strip(day(10), day(10)), strip(day(DAYS), day(1)), strip(today, today)];
    let mut times: [Vec<f64>; 4] = Default::default();
    for _ in 0..turns {
        let started = Instant::now();
        let rows = client.query(&article, &[&5_i32, &"film", &"GLOBAL"]).await?;
        times[3].push(started.elapsed().as_secs_f64() * 1e3);
        anyhow::ensure!(rows.len() == 240, "{} buckets", rows.len());
        for (question, times) in questions.iter().zip(&mut times) {
            let started = Instant::now();
            let answer = http.get(question).send().await?;
            let body = answer.text().await?;
            times.push(started.elapsed().as_secs_f64() * 1e3);
            anyhow::ensure!(body.matches("\"bucket\"").count() == 240, "{question}: {body:.200}");
        }
    }
    let [day, days, half, article] = times.map(median);
    Ok(Measured { article, day, days, half })
}

/// Shard rows of closed days, all dense, and the article's table with one of them.
async fn fill(client: &Client, rotation: &str, lane: u16) -> anyhow::Result<()> {
    let epochs = match rotation {
        "daily" => "SELECT d, d FROM generate_series(current_date - 28, current_date, '1 day') AS d",
        // The month that is not over yet, as wide as the range.
        _ => "SELECT current_date - 28, current_date + 2",
    };
    client
        .batch_execute(&format!(
            "SET enable_hashagg = off;
             INSERT INTO salt_epochs (first_day, last_day, rotation, salt, made_at)
                SELECT e.first_day, e.last_day, '{rotation}', '\\x00', now() FROM ({epochs}) AS e (first_day, last_day);
             CREATE TABLE pool AS
                SELECT n, (SELECT hll_add_agg(hll_hash_bigint(n * 500 + v), 12, 5, -1, 1) FROM generate_series(1, 6000) v) AS viewers
                FROM generate_series(0, 63) n;
             SELECT ensure_shard_partition((current_date - n)::date) FROM generate_series(0, {DAYS}) n;
             INSERT INTO video_heatmap_shards
                SELECT 'film', current_date - d, 'R' || r, s, {lane}, p.viewers, 6000
                FROM generate_series(1, {DAYS}) d CROSS JOIN generate_series(1, 8) r CROSS JOIN generate_series(0, 1199) s
                JOIN pool p ON p.n = (s / 20 + r + d) % 64;
             INSERT INTO video_heatmap_whole_shards
                SELECT 'film', current_date - d, 'R' || r, {lane}, 1199, (SELECT hll_union_agg(viewers) FROM pool), 7200000
                FROM generate_series(1, {DAYS}) d, generate_series(1, 8) r;
             CREATE TABLE article (
                video_id text NOT NULL, region text NOT NULL, bucket_sec integer NOT NULL, viewers hll(12, 5) NOT NULL,
                PRIMARY KEY (video_id, region, bucket_sec));
             INSERT INTO article SELECT video_id, region, bucket_sec, viewers FROM video_heatmap_shards
                WHERE captured_on = current_date - 1;
             CREATE INDEX article_lookup ON article (video_id, region, bucket_sec) INCLUDE (viewers);
             DROP TABLE pool"
        ))
        .await?;
    Ok(())
}

/// Today: everything compacted once, and everything in the shards again.
async fn fill_half(client: &Client, lane: u16) -> anyhow::Result<()> {
    client
        .batch_execute(&format!(
            "SELECT ensure_canonical_partition(current_date);
             INSERT INTO video_heatmap SELECT video_id, current_date, region, bucket_sec, viewers, plays
                FROM video_heatmap WHERE captured_on = current_date - 1;
             INSERT INTO video_heatmap_5s SELECT video_id, current_date, region, bucket_sec, last_sec, viewers, plays
                FROM video_heatmap_5s WHERE captured_on = current_date - 1;
             INSERT INTO video_heatmap_whole SELECT video_id, current_date, region, last_sec, viewers, plays
                FROM video_heatmap_whole WHERE captured_on = current_date - 1;
             INSERT INTO video_heatmap_shards SELECT video_id, current_date, region, bucket_sec, {lane}, viewers, plays
                FROM video_heatmap WHERE captured_on = current_date - 1 AND region <> 'GLOBAL';
             INSERT INTO video_heatmap_whole_shards SELECT video_id, current_date, region, {lane}, last_sec, viewers, plays
                FROM video_heatmap_whole WHERE captured_on = current_date - 1 AND region <> 'GLOBAL'"
        ))
        .await?;
    Ok(())
}
