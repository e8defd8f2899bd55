//! Settings of trending.

use clap::Args;

/// Says which videos may be listed, for whoever serves lists.
#[derive(Debug, Clone, Copy, Args)]
pub struct TrendingSettings {
    /// New viewers of late below which a video is not listed as trending
    #[arg(long, env = "HEATSTRIP_TRENDING_FLOOR", default_value_t = 5,
          value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub trending_floor: u32,
    /// Videos that one channel may have in a list of trending ones; 0 for no bound
    #[arg(long, env = "HEATSTRIP_TRENDING_CHANNEL_CAP", default_value_t = 3)]
    pub trending_channel_cap: usize,
}

/// Says how fast new viewers are forgotten. Both stand in the database: a worker that is started with one sets it for all.
#[derive(Debug, Clone, Copy, Args)]
pub struct HalfLifeSettings {
    /// Hours after which a new viewer counts half in what trends; left out, as last set (6)
    #[arg(long, env = "HEATSTRIP_TRENDING_RECENT_HOURS", value_parser = clap::value_parser!(u32).range(1..=168))]
    pub trending_recent_hours: Option<u32>,
    /// Hours after which a new viewer counts half in the baseline that this is compared with; left out, as last set (72)
    #[arg(long, env = "HEATSTRIP_TRENDING_BASELINE_HOURS", value_parser = clap::value_parser!(u32).range(2..=2_160))]
    pub trending_baseline_hours: Option<u32>,
}
