//! How far the estimates are off: `cargo run --release --example accuracy` measures it, prints the tables of
//! `docs/accuracy.md` as Markdown and draws `docs/accuracy.svg`.
//!
//! Sketches are made with [`sketch::encode`], as the worker makes them, and estimated by the extension on a private
//! Postgres, rounded as `read_strip` rounds: what is measured is what users get. Everything is seeded, so every machine
//! prints the same numbers; a viewer hash is a counter here instead of a BLAKE2b, as [`sketch::element`] mixes it anyway.

mod picture;

use std::path::Path;

use anyhow::Context;
use heatstrip::postgres::local::{Lifetime, LocalPostgres};
use heatstrip::sketch;
use tokio_postgres::{Client, NoTls};

const SIZES: [usize; 21] = [
    1, 10, 100, 320, 321, 500, 1_000, 2_000, 3_000, 5_000, 7_000, 9_000, 10_000, 10_500, 12_000, 14_000,
    20_000, 50_000, 100_000, 300_000, 1_000_000,
];
/// Sets a size; the largest take the most time and their error has long stopped changing.
const fn sets(size: usize) -> u64 {
    if size > 100_000 { 300 } else { 1_000 }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let data_dir = std::env::temp_dir().join(format!("heatstrip-accuracy-{}", uuid::Uuid::new_v4().simple()));
    let server = LocalPostgres::start(&data_dir, Lifetime::Process).await?;
    let (database, connection) = tokio_postgres::connect(&server.url("postgres"), NoTls).await?;
    tokio::spawn(connection);
    database.batch_execute("CREATE EXTENSION hll").await?;

    let mut measured = Vec::new();
    for size in SIZES {
        eprintln!("{} sets of {size}", sets(size));
        measured.push(Measured::new(&database, size).await?);
    }
    print_sizes(&measured);
    print_unions(&database).await?;
    print_retention(&database).await?;
    print_peaks(&measured);
    print_epochs(&measured);

    let picture = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/accuracy.svg");
    std::fs::write(&picture, picture::draw(&measured))
        .with_context(|| format!("write {}", picture.display()))?;
    drop(database);
    server.stop().await?;
    Ok(())
}

/// The elements of the viewers `first..last` of a seed, ascending and distinct. Seeds share nobody.
fn elements(seed: u64, viewers: impl Iterator<Item = u64>) -> Vec<i64> {
    let mut elements: Vec<i64> =
        viewers.map(|viewer| sketch::element((seed << 32 | viewer) as i64)).collect();
    elements.sort_unstable();
    elements.dedup();
    elements
}

/// What the extension makes of sketches, as `read_strip` asks for it.
async fn estimate(database: &Client, sketches: &[Vec<u8>]) -> anyhow::Result<Vec<i64>> {
    let rows = database
        .query(
            "SELECT round(hll_cardinality(b::hll))::bigint
             FROM unnest($1::bytea[]) WITH ORDINALITY AS sketches (b, number)
             ORDER BY number",
            &[&sketches],
        )
        .await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// The errors at one size, in percent of the truth, in the order of the seeds.
struct Measured {
    size: usize,
    kind: &'static str,
    errors: Vec<f64>,
}

impl Measured {
    async fn new(database: &Client, size: usize) -> anyhow::Result<Self> {
        let sketches: Vec<Vec<u8>> =
            (0..sets(size)).map(|seed| sketch::encode(&elements(seed, 0..size as u64))).collect();
        let estimates = estimate(database, &sketches).await?;
        Ok(Measured {
            size,
            kind: match sketches[0][0] & 15 {
                2 => "explicit",
                3 => "sparse",
                _ => "full",
            },
            errors: estimates.iter().map(|&estimate| (estimate as f64 / size as f64 - 1.0) * 100.0).collect(),
        })
    }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn root_mean_square(values: &[f64]) -> f64 {
    (values.iter().map(|value| value * value).sum::<f64>() / values.len() as f64).sqrt()
}

/// The value that this share of the values does not exceed.
fn quantile(values: &[f64], share: f64) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    let rank = (share * values.len() as f64).ceil() as usize;
    values[rank.clamp(1, values.len()) - 1]
}

fn absolute(values: &[f64]) -> Vec<f64> {
    values.iter().map(|value| value.abs()).collect()
}

/// `1234567` as `1,234,567`.
fn thousands(number: usize) -> String {
    match number {
        0..1_000 => number.to_string(),
        _ => format!("{},{:03}", thousands(number / 1_000), number % 1_000),
    }
}

/// Without the sign of a negative zero.
fn signed(percent: f64) -> String {
    format!("{:+.2}", (percent * 100.0).round() / 100.0 + 0.0)
}

fn print_sizes(measured: &[Measured]) {
    println!("## Sizes\n");
    println!("| viewers | sketch | sets | bias, % | RMSE, % | p95, % | worst, % |");
    println!("|---:|---|---:|---:|---:|---:|---:|");
    for Measured { size, kind, errors } in measured {
        let absolute = absolute(errors);
        println!(
            "| {} | {kind} | {} | {} | {:.2} | {:.2} | {:.2} |",
            thousands(*size),
            thousands(errors.len()),
            signed(mean(errors)),
            root_mean_square(errors),
            quantile(&absolute, 0.95),
            quantile(&absolute, 1.0),
        );
    }
}

/// How viewers spread over the sets that are united: the sets a viewer is in, as bits, from 64 random bits.
struct Spread {
    name: &'static str,
    parts: u32,
    mask: fn(u64) -> u32,
}

const SPREADS: [Spread; 3] = [
    Spread {
        // Everybody in one region, every eighth (travellers) in another one too.
        name: "8 regions",
        parts: 8,
        mask: |bits| 1 << (bits % 8) | if bits >> 8 & 7 == 0 { 1 << (bits >> 16 & 7) } else { 0 },
    },
    Spread {
        // Any of the days, at least one: four of seven on average.
        name: "7 days of one salt epoch",
        parts: 7,
        mask: |bits| (bits % 127 + 1) as u32,
    },
    Spread {
        // A stretch from a random bucket to a random later one.
        name: "12 buckets of 5 s to one of 60 s",
        parts: 12,
        mask: |bits| {
            let (start, end) = (bits % 12, (bits >> 32) % 12);
            (start.min(end)..=start.max(end)).fold(0, |mask, bucket| mask | 1 << bucket)
        },
    },
];

const UNION_SIZES: [usize; 4] = [300, 2_000, 10_000, 100_000];
const UNION_SETS: u64 = 300;

async fn print_unions(database: &Client) -> anyhow::Result<()> {
    println!("\n## Unions\n");
    println!(
        "| union of | viewers | a part has | byte for byte equal | RMSE of the union, % | of the set, % |"
    );
    println!("|---|---:|---:|---:|---:|---:|");
    for spread in &SPREADS {
        for size in UNION_SIZES {
            eprintln!("{UNION_SETS} unions of {} to {size}", spread.name);
            print_union(database, spread, size).await?;
        }
    }
    Ok(())
}

async fn print_union(database: &Client, spread: &Spread, size: usize) -> anyhow::Result<()> {
    let (mut equal, mut in_parts) = (0, 0);
    let (mut of_union, mut of_set) = (Vec::new(), Vec::new());
    for seed in 0..UNION_SETS {
        // Other bits than those the sketches take.
        let mask = |viewer: u64| (spread.mask)(sketch::element(!((seed << 32 | viewer) as i64)) as u64);
        let parts: Vec<Vec<i64>> = (0..spread.parts)
            .map(|part| elements(seed, (0..size as u64).filter(|&viewer| mask(viewer) >> part & 1 == 1)))
            .collect();
        in_parts += parts.iter().map(Vec::len).sum::<usize>();
        let parts: Vec<Vec<u8>> = parts.iter().map(|part| sketch::encode(part)).collect();
        let all = sketch::encode(&elements(seed, 0..size as u64));
        // At once as a read does, and in two steps as compaction and a read after it do.
        let row = database
            .query_one(
                "WITH steps AS (
                     SELECT hll_union_agg(b::hll) AS v
                     FROM unnest($1::bytea[]) WITH ORDINALITY AS parts (b, number)
                     GROUP BY number % 3
                 ), unions AS (
                     SELECT (SELECT hll_union_agg(b::hll) FROM unnest($1::bytea[]) AS parts (b)) AS at_once,
                         (SELECT hll_union_agg(v) FROM steps) AS in_steps
                 )
                 SELECT hll_send(at_once), hll_send(in_steps),
                     round(hll_cardinality(at_once))::bigint, round(hll_cardinality($2::bytea::hll))::bigint
                 FROM unions",
                &[&parts, &all],
            )
            .await?;
        equal += u64::from(row.get::<_, &[u8]>(0) == all && row.get::<_, &[u8]>(1) == all);
        let error = |estimate: i64| (estimate as f64 / size as f64 - 1.0) * 100.0;
        of_union.push(error(row.get(2)));
        of_set.push(error(row.get(3)));
    }
    println!(
        "| {} | {} | {} | {equal} of {UNION_SETS} | {:.2} | {:.2} |",
        spread.name,
        thousands(size),
        thousands(in_parts / (UNION_SETS as usize * spread.parts as usize)),
        root_mean_square(&of_union),
        root_mean_square(&of_set),
    );
    Ok(())
}

/// Retention of a bucket whose viewers are some of the peak's, and the replay of the peak when each played it once.
async fn print_retention(database: &Client) -> anyhow::Result<()> {
    const SHARES: [usize; 3] = [75, 50, 25];
    const SETS: u64 = 1_000;
    println!("\n## Ratios\n");
    println!("| viewers of the peak | replay 1.0 reads as | retention 0.75 | 0.50 | 0.25 |");
    println!("|---:|---:|---:|---:|---:|");
    for peak in [2_000, 5_000, 10_000, 13_500, 20_000, 40_000, 100_000] {
        eprintln!("{SETS} ratios with a peak of {peak}");
        let mut estimates = Vec::new();
        for share in [100].into_iter().chain(SHARES) {
            let viewers = (peak * share / 100) as u64;
            let sketches: Vec<Vec<u8>> =
                (0..SETS).map(|seed| sketch::encode(&elements(seed, 0..viewers))).collect();
            estimates.push(estimate(database, &sketches).await?);
        }
        let cell = |ratios: Vec<f64>| {
            let (low, high) = (quantile(&ratios, 0.05), quantile(&ratios, 0.95));
            format!("{:.3} ({low:.3} to {high:.3})", mean(&ratios))
        };
        let peaks = &estimates[0];
        let replay = cell(peaks.iter().map(|&estimate| peak as f64 / estimate as f64).collect());
        let retention = estimates[1..].iter().map(|shares| {
            cell(shares.iter().zip(peaks).map(|(&share, &peak)| share as f64 / peak as f64).collect())
        });
        let retention: Vec<String> = retention.collect();
        println!("| {} | {replay} | {} |", thousands(peak), retention.join(" | "));
    }
    Ok(())
}

/// The largest of many estimates is one of those that err upwards.
fn print_peaks(measured: &[Measured]) {
    println!("\n## Peaks\n");
    println!("| viewers of each bucket | peak of 10 buckets, % too high | of 100 buckets, % too high |");
    println!("|---:|---:|---:|");
    for Measured { size, errors, .. } in some(measured) {
        let peak = |buckets: usize| {
            let peaks: Vec<f64> = errors.chunks_exact(buckets).map(|errors| quantile(errors, 1.0)).collect();
            signed(mean(&peaks))
        };
        println!("| {} | {} | {} |", thousands(*size), peak(10), peak(100));
    }
}

/// The sum of the estimates of epochs with one size each: what a strip of viewer-days says.
fn print_epochs(measured: &[Measured]) {
    println!("\n## Sums over salt epochs\n");
    println!(
        "| viewers of each day | RMSE of 1 day, % | bias of the sum, % | RMSE of 7 days, % | RMSE of 28 days, % |"
    );
    println!("|---:|---:|---:|---:|---:|");
    for Measured { size, errors, .. } in some(measured) {
        let sum = |days: usize| {
            let errors: Vec<f64> = errors.chunks_exact(days).map(mean).collect();
            root_mean_square(&errors)
        };
        println!(
            "| {} | {:.2} | {} | {:.2} | {:.2} |",
            thousands(*size),
            sum(1),
            signed(mean(errors)),
            sum(7),
            sum(28)
        );
    }
}

fn some(measured: &[Measured]) -> impl Iterator<Item = &Measured> {
    measured.iter().filter(|measured| [2_000, 10_000, 20_000, 100_000].contains(&measured.size))
}
