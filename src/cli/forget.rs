//! `heatstrip forget`

use chrono::NaiveDate;
use indicatif::HumanCount;

use super::show::video_id;
use crate::{
    config,
    events::{heartbeat::MAX_SEC, lane::lane, part::Part, region::Region},
    postgres::Store,
    queue::Queue,
    work::forget::forget,
};

/// The flags of `heatstrip forget`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The video whose rows are removed
    #[arg(long, value_parser = video_id)]
    video: String,
    /// Of this UTC day only
    #[arg(long, value_name = "DATE")]
    day: Option<NaiveDate>,
    /// Only what was watched and viewed in this region
    #[arg(long)]
    region: Option<Region>,
    /// Only the seconds behind this one, which stays; views stay too
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(i32).range(0..MAX_SEC))]
    after_sec: Option<i32>,
}

/// Runs `heatstrip forget`.
pub async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let store = Store::connect(&config::database_url()?, 1).await?;
    let Arguments { video, day, region, after_sec } = arguments;
    let lane = lane(&video, store.lanes());
    let queue = Queue::open(&store, config::queue_url()?.as_deref()).await?;
    let gone = forget(&queue, &video, lane, &Part { day, region, after_sec }).await?;
    println!(
        "removed {} canonical rows, {} shard rows, {} sampled days, {} views, {} recent viewers, {} queued and {} failed \
         heartbeats and views{}; cached answers live on for the cache's time",
        HumanCount(gone.rows.canonical),
        HumanCount(gone.rows.shards),
        HumanCount(gone.samples),
        HumanCount(gone.views.views),
        HumanCount(gone.views.viewers),
        HumanCount(gone.heartbeats.queued),
        HumanCount(gone.heartbeats.failed),
        if gone.entry { ", and its entry in the catalogue" } else { "" },
    );
    Ok(())
}
