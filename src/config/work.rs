//! Settings of the ingestion worker.

use clap::Args;

/// Says how much of the database a worker takes.
#[derive(Debug, Clone, Args)]
pub struct WorkSettings {
    /// Connections that fold at once, each on a lane of its own
    #[arg(long, env = "HEATSTRIP_WORKER_CONNECTIONS", default_value_t = 2,
          value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..=64))]
    pub worker_connections: usize,
    /// Viewers of each video and day that are sampled for questions about the audience; 0 turns the sample off
    #[arg(long, env = "HEATSTRIP_SAMPLE_SIZE", default_value_t = crate::audience::sample::DEFAULT_SIZE,
          value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(0..=100_000))]
    pub sample_size: usize,
    #[command(flatten)]
    pub half_lives: super::HalfLifeSettings,
}
