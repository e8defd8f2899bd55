//! Settings of the first migration.

use clap::Args;

/// Says what can be decided once only, when a database is migrated for the first time.
#[derive(Debug, Clone, Args)]
pub struct MigrateSettings {
    /// Lanes of the queue, so the most connections that can fold at once; counts at the first migration only
    #[arg(long, env = "HEATSTRIP_LANES", default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub lanes: u16,
}
