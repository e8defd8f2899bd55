//! `heatstrip migrate`

use std::time::Duration;

use crate::{
    config,
    postgres::{
        Store,
        migrate::{migrate, migrate_to_citus},
    },
    queue::nats::settings::{StreamSettings, prepare},
};

/// The flags of `heatstrip migrate`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    settings: config::MigrateSettings,
    #[command(flatten)]
    stream: config::StreamSettings,
    /// Distribute the tables that lead with a video over the nodes of this Citus cluster, while no other process runs
    #[arg(long)]
    citus: bool,
    /// Shards of each distributed table; counts when they are distributed for the first time only
    #[arg(long, value_name = "N", default_value_t = 32, value_parser = clap::value_parser!(u32).range(1..=1024), requires = "citus")]
    shards: u32,
}

/// Runs `heatstrip migrate`.
pub async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let (database_url, lanes) = (config::database_url()?, arguments.settings.lanes);
    if arguments.citus {
        match migrate_to_citus(&database_url, lanes, arguments.shards).await?.len() {
            0 => println!("the tables are distributed already"),
            tables => println!("distributed {tables} tables"),
        }
    } else {
        migrate(&database_url, lanes).await?;
    }
    if let Some(url) = config::queue_url()? {
        let store = Store::connect(&database_url, 2).await?;
        let stream = arguments.stream;
        let settings = StreamSettings {
            name: stream.stream,
            replicas: stream.stream_replicas,
            max_bytes: stream.stream_max_bytes,
            dedup_window: Duration::from_secs(stream.dedup_window_secs),
            take: stream.take_stream,
        };
        prepare(&store, &url, &settings).await?;
    }
    println!("the database is ready");
    Ok(())
}
