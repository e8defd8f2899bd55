//! Measures how much disk heatmaps take: it queues, folds and compacts on a private Postgres what audiences of several sizes
//! watched, and prints the table of `docs/operations.md`.
//!
//! ```sh
//! cargo run --example sizing
//! ```

use std::{collections::BTreeMap, ops::Range};

use chrono::{NaiveDate, Utc};
use heatstrip::{
    clock::Clock,
    events::{
        hashed::{HashedHeartbeat, HashedHeartbeats},
        lane::lane,
    },
    heatmap::compaction,
    postgres::{
        Store,
        local::{Lifetime, LocalPostgres},
        migrate::migrate,
    },
    queue::{
        Batch,
        batch_ids::{Accepted, Ring},
    },
    work::worker,
};
use tokio_postgres::{Client, NoTls};

/// There are so many ten-minute videos, watched in one region on one day.
const VIDEOS: usize = 20;
const SECONDS: usize = 600;
/// A player sends a heartbeat every ten seconds.
const HEARTBEAT_SECONDS: usize = 10;
/// Each video has so many viewers: one, some, as many as are counted exactly, and more.
const AUDIENCES: [usize; 5] = [1, 20, 320, 500, 2_000];

/// How a viewer watches a video. The two make the two forms in which a block is kept.
#[derive(Clone, Copy)]
enum Habit {
    /// All watch from the first second to the last, so that few runs cover the video.
    Whole,
    /// Each watches two minutes from somewhere on, so that nearly every second has other viewers than the one before.
    Part,
}

impl Habit {
    const PART_SECONDS: usize = 120;

    fn name(self) -> &'static str {
        match self {
            Habit::Whole => "all of it",
            Habit::Part => "two minutes of it",
        }
    }

    /// Returns the seconds that a viewer watches.
    fn watched(self, hash: i64) -> Range<usize> {
        match self {
            Habit::Whole => 0..SECONDS,
            Habit::Part => {
                let start = hash.unsigned_abs() as usize % (SECONDS - Self::PART_SECONDS + 1);
                start..start + Self::PART_SECONDS
            }
        }
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let data_dir = std::env::temp_dir().join(format!("heatstrip-sizing-{}", std::process::id()));
    let postgres = LocalPostgres::start(&data_dir, Lifetime::Process).await?;
    println!(
        "| each watches | viewers of a video | shards, bytes a second | compacted, bytes a second | \
         spread | bytes a watched second |"
    );
    println!("|---|---:|---:|---:|---:|---:|");
    for habit in [Habit::Whole, Habit::Part] {
        for viewers in AUDIENCES {
            let name = format!("audience_{}_{viewers}", habit as u8);
            postgres.create_database(&name, None).await?;
            let url = postgres.url(&name);
            migrate(&url, 16).await?;
            println!("{}", measure(&url, habit, viewers).await?);
        }
    }
    postgres.stop().await?;
    Ok(())
}

async fn measure(url: &str, habit: Habit, viewers: usize) -> anyhow::Result<String> {
    let store = Store::connect(url, 4).await?;
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(connection);
    let day = NaiveDate::from_ymd_opt(2026, 11, 20).expect("a day");

    let mut watched_secs = 0;
    for video in 0..VIDEOS {
        let video_id = format!("video-{video:06}");
        let mut columns = HashedHeartbeats::default();
        for viewer in 0..viewers {
            let hash = hash(video, viewer);
            for start in habit.watched(hash).step_by(HEARTBEAT_SECONDS) {
                columns.push(&HashedHeartbeat {
                    video_id: &video_id,
                    region: "JP",
                    captured_on: day,
                    start_sec: start as i32,
                    end_sec: (start + HEARTBEAT_SECONDS - 1) as i32,
                    viewer_hash: hash,
                });
            }
        }
        watched_secs += columns.watched_secs();
        let accepted = Accepted { accepted: columns.len(), rejected: "[]".to_owned() };
        let lanes = BTreeMap::from([(lane(&video_id, store.lanes()), columns)]);
        store.enqueue(Ring::Http, &[Batch { id: None, lanes, answer: accepted }], Utc::now()).await?;
    }
    worker::run_once(&store, &Clock::system()).await?;
    let seconds = (VIDEOS * SECONDS) as f64;
    let shards = bytes(&client, "video_heatmap%shards%").await? as f64 / seconds;
    compaction::run(&store, day, |_| ()).await?;
    client.batch_execute("VACUUM FULL").await?;
    let canonical = bytes(&client, "video_heatmap%").await? as f64 / seconds;
    let watched = canonical * seconds / watched_secs as f64;
    let spread: i64 =
        client.query_one("SELECT count(*) FROM video_heatmap_spread", &[]).await?.try_get("count")?;
    let (habit, spread) = (habit.name(), 100.0 * spread as f64 / VIDEOS as f64);
    Ok(format!("| {habit} | {viewers} | {shards:.0} | {canonical:.0} | {spread:.0} % | {watched:.2} |"))
}

/// Returns the bytes on disk of the tables whose names match, their indexes and long values included.
async fn bytes(client: &Client, tables: &str) -> anyhow::Result<i64> {
    let size = "SELECT coalesce(sum(pg_total_relation_size(oid)), 0)::bigint FROM pg_class
                WHERE relkind = 'r' AND relname LIKE $1";
    Ok(client.query_one(size, &[&tables]).await?.try_get(0)?)
}

/// Returns a hash that is well spread, as salted hashes are.
fn hash(video: usize, viewer: usize) -> i64 {
    let seed = (video as u64) << 32 | viewer as u64;
    let mut mixed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (mixed ^ (mixed >> 31)) as i64
}
