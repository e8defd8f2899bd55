//! Settings of what the nightly job keeps.

use clap::Args;

use crate::{views::archive::RECENT_DAYS, work::nightly::Keep};

/// Says how many days are kept, and how many of them by the second.
#[derive(Debug, Clone, Args)]
pub struct KeepSettings {
    /// Days kept before today; left out, all of them
    #[arg(long, env = "HEATSTRIP_RETENTION_DAYS", value_parser = clap::value_parser!(u32).range(1..=36_500))]
    pub retention_days: Option<u32>,
    /// Days kept by the second before today, the others by 5 s; left out, all of them
    #[arg(long, env = "HEATSTRIP_FINE_DAYS", value_parser = clap::value_parser!(u32).range(1..=36_500))]
    pub fine_days: Option<u32>,
    /// Days since the last view for which a viewer of a video is remembered: recent viewers are exact, and then archived
    #[arg(long, env = "HEATSTRIP_VIEWS_RECENT_DAYS", default_value_t = RECENT_DAYS,
          value_parser = clap::value_parser!(u32).range(3..=3_650))]
    pub views_recent_days: u32,
    /// Days before today for which the audience's sample is kept
    #[arg(long, env = "HEATSTRIP_SAMPLE_DAYS", default_value_t = 28, value_parser = clap::value_parser!(u32).range(1..=36_500))]
    pub sample_days: u32,
}

impl KeepSettings {
    /// Returns the settings as the nightly job takes them.
    pub fn keep(&self) -> Keep {
        Keep {
            days: self.retention_days,
            fine_days: self.fine_days,
            recent_days: Some(self.views_recent_days),
            sample_days: Some(self.sample_days),
        }
    }
}
