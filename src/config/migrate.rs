//! Settings of the first migration.

use clap::Args;

/// Says what can be decided once only, when a database is migrated for the first time.
#[derive(Debug, Clone, Args)]
pub struct MigrateSettings {
    /// Lanes of the queue, so the most connections that can fold at once; counts at the first migration only
    #[arg(long, env = "HEATSTRIP_LANES", default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub lanes: u16,
}

/// Says how the stream is made that is the queue where one is.
#[derive(Debug, Clone, Args)]
pub struct StreamSettings {
    /// Name of the NATS stream that is the queue
    #[arg(long, env = "HEATSTRIP_STREAM", default_value = "heatstrip", value_parser = stream_name)]
    pub stream: String,
    /// Servers that keep each message of the stream; left out, 3 in a cluster and 1 on a server alone
    #[arg(long, env = "HEATSTRIP_STREAM_REPLICAS", value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..=5))]
    pub stream_replicas: Option<usize>,
    /// Bytes that the stream may hold; beyond them heartbeats are answered 503
    #[arg(long, env = "HEATSTRIP_STREAM_MAX_BYTES", default_value_t = 10 << 30, value_parser = clap::value_parser!(u64).range(16 << 20..=1 << 50))]
    pub stream_max_bytes: u64,
    /// How long a batch id makes a retry safe, as `heatstrip serve` is told too
    #[arg(long, env = "HEATSTRIP_DEDUP_WINDOW_SECS", default_value_t = 600, value_parser = clap::value_parser!(u64).range(0..=86_400))]
    pub dedup_window_secs: u64,
    /// Go on with the stream as it is now, though messages are missing, or it was made anew or read by another database
    #[arg(long)]
    pub take_stream: bool,
}

fn stream_name(text: &str) -> Result<String, String> {
    let is_fit = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    match (1..=64).contains(&text.len()) && text.bytes().all(is_fit) {
        true => Ok(text.to_owned()),
        false => Err("1 to 64 of A-Z a-z 0-9 - _".into()),
    }
}
