//! How much disk heatmaps take: queues, folds and compacts on a private Postgres what audiences of several sizes watched,
//! and prints the table of `docs/operations.md`.
//!
//! ```sh
//! cargo run --example sizing
//! ```

use std::collections::BTreeMap;

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

/// Ten-minute videos, all of them watched to the end, in one region on one day.
const VIDEOS: usize = 20;
const SECONDS: usize = 600;
/// Heartbeats a player sends for that: one every ten seconds.
const HEARTBEAT_SECONDS: usize = 10;
/// Viewers of each video: one, some, as many as are counted, and beyond.
const AUDIENCES: [usize; 5] = [1, 20, 320, 500, 2_000];

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let data_dir = std::env::temp_dir().join(format!("heatstrip-sizing-{}", std::process::id()));
    let postgres = LocalPostgres::start(&data_dir, Lifetime::Process).await?;
    println!(
        "| viewers a second | shards, bytes a second | compacted, bytes a second | MB for a million heartbeats |"
    );
    println!("|---:|---:|---:|---:|");
    for viewers in AUDIENCES {
        let name = format!("viewers_{viewers}");
        postgres.create_database(&name, None).await?;
        let url = postgres.url(&name);
        migrate(&url, 16).await?;
        println!("{}", measure(&url, viewers).await?);
    }
    postgres.stop().await?;
    Ok(())
}

async fn measure(url: &str, viewers: usize) -> anyhow::Result<String> {
    let store = Store::connect(url, 4).await?;
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(connection);
    let day = NaiveDate::from_ymd_opt(2026, 11, 20).expect("a day");

    let mut heartbeats = 0;
    for video in 0..VIDEOS {
        let video_id = format!("video-{video:06}");
        let mut columns = HashedHeartbeats::default();
        for viewer in 0..viewers {
            for start in (0..SECONDS).step_by(HEARTBEAT_SECONDS) {
                columns.push(&HashedHeartbeat {
                    video_id: &video_id,
                    region: "JP",
                    captured_on: day,
                    start_sec: start as i32,
                    end_sec: (start + HEARTBEAT_SECONDS - 1) as i32,
                    viewer_hash: hash(video, viewer),
                });
            }
        }
        heartbeats += columns.len();
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
    let million = canonical * seconds / heartbeats as f64;
    Ok(format!("| {viewers} | {shards:.0} | {canonical:.0} | {million:.1} |"))
}

/// Bytes on disk of the tables whose names match, their indexes and long values included.
async fn bytes(client: &Client, tables: &str) -> anyhow::Result<i64> {
    let size = "SELECT coalesce(sum(pg_total_relation_size(oid)), 0)::bigint FROM pg_class
                WHERE relkind = 'r' AND relname LIKE $1";
    Ok(client.query_one(size, &[&tables]).await?.try_get(0)?)
}

/// Well spread, as salted hashes are.
fn hash(video: usize, viewer: usize) -> i64 {
    let seed = (video as u64) << 32 | viewer as u64;
    let mut mixed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (mixed ^ (mixed >> 31)) as i64
}
