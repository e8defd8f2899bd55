//! Settings of the HTTP interface.

use std::{net::SocketAddr, time::Duration};

use axum::http::HeaderName;
use clap::Args;

use super::{ViewRuleSettings, ViewSaltSettings};
use crate::events::region::Region;

/// Says how the API listens, what it fills in and how much it keeps.
#[derive(Debug, Clone, Args)]
pub struct ServeSettings {
    /// Address and port to listen on; port 0 takes a free one
    #[arg(long, env = "HEATSTRIP_LISTEN", default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,
    /// Region of heartbeats that name none
    #[arg(long, env = "HEATSTRIP_DEFAULT_REGION", default_value = "ZZ")]
    pub default_region: Region,
    /// Request header with the region of heartbeats that name none, set by the proxy in front (for example CF-IPCountry)
    #[arg(long, env = "HEATSTRIP_REGION_HEADER")]
    pub region_header: Option<HeaderName>,
    /// How long a strip is served from the cache; 0 turns the cache off
    #[arg(long, env = "HEATSTRIP_CACHE_TTL_SECS", default_value_t = 300)]
    pub cache_ttl_secs: u64,
    /// Heartbeats in the queue from which on new ones are answered 503; sampled once a second
    #[arg(long, env = "HEATSTRIP_QUEUE_MAX_HEARTBEATS", default_value_t = 20_000_000)]
    pub queue_max_heartbeats: u64,
    /// How long batch ids are remembered, so that a retry counts once; 0 turns that off
    #[arg(long, env = "HEATSTRIP_DEDUP_WINDOW_SECS", default_value_t = 600)]
    pub dedup_window_secs: u64,
    /// Connections to Postgres for requests
    #[arg(long, env = "HEATSTRIP_SERVE_CONNECTIONS", default_value_t = 8,
          value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(4..=1000))]
    pub serve_connections: usize,
    #[command(flatten)]
    pub view_rule: ViewRuleSettings,
    #[command(flatten)]
    pub view_salts: ViewSaltSettings,
}

impl ServeSettings {
    /// Returns how long a strip is served from the cache.
    pub fn cache_life(&self) -> Duration {
        Duration::from_secs(self.cache_ttl_secs)
    }

    /// Returns how long batch ids are remembered, or none if they are not.
    pub fn dedup_window(&self) -> Option<Duration> {
        (self.dedup_window_secs > 0).then(|| Duration::from_secs(self.dedup_window_secs))
    }
}
