//! Settings of the HTTP interface.

use std::{net::SocketAddr, time::Duration};

use axum::http::HeaderName;
use clap::Args;

use super::{BasePath, Origin, TrendingSettings, ViewRuleSettings, ViewSaltSettings};
use crate::{
    access::{address::Network, keyring::Access},
    events::region::Region,
};

/// Says how the API listens, what it fills in and how much it keeps.
#[derive(Debug, Clone, Args)]
pub struct ServeSettings {
    /// Address and port to listen on; port 0 takes a free one
    #[arg(long, env = "HEATSTRIP_LISTEN", default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,
    /// Path below which everything is served, for example /heat; a proxy in front passes it on as it is
    #[arg(
        long,
        env = "HEATSTRIP_BASE_PATH",
        value_name = "PATH",
        default_value_t,
        hide_default_value = true
    )]
    pub base_path: BasePath,
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
    /// Who gets in: everybody (open) or whoever has a key (keys); left out, everybody until the first key is made
    #[arg(long, env = "HEATSTRIP_ACCESS", value_enum)]
    pub access: Option<AccessSetting>,
    /// Request header by which a proxy in front says whom it forwards; its rightmost entry counts (for example X-Forwarded-For)
    #[arg(long, env = "HEATSTRIP_CLIENT_ADDRESS_HEADER", value_name = "HEADER")]
    pub client_address_header: Option<HeaderName>,
    /// Networks of our own proxies, with commas between them: only they are believed, and passed over in that header
    #[arg(long, env = "HEATSTRIP_TRUSTED_PROXIES", value_name = "NETWORKS", value_delimiter = ',')]
    pub trusted_proxies: Vec<Network>,
    /// Connections of clients that may be open at once; beyond them whoever has waited longest is closed
    #[arg(long, env = "HEATSTRIP_MAX_CONNECTIONS", default_value_t = 4096,
          value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(16..=1_000_000))]
    pub max_connections: usize,
    /// How long the head of a request may take from its first byte on; then its connection is closed
    #[arg(long, env = "HEATSTRIP_HEAD_DEADLINE_SECS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=600))]
    pub head_deadline_secs: u64,
    /// How long the body of a request may take to arrive; then it is answered 408
    #[arg(long, env = "HEATSTRIP_BODY_DEADLINE_SECS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=600))]
    pub body_deadline_secs: u64,
    /// How long the read behind an answer may take; then it is cancelled and answered 503
    #[arg(long, env = "HEATSTRIP_READ_DEADLINE_SECS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=600))]
    pub read_deadline_secs: u64,
    /// Origins that the dashboard may show pictures of videos from, with commas; none, no picture is shown
    #[arg(long, env = "HEATSTRIP_THUMBNAIL_ORIGINS", value_delimiter = ',', value_name = "ORIGIN")]
    pub thumbnail_origins: Vec<Origin>,
    /// Connections to Postgres for requests
    #[arg(long, env = "HEATSTRIP_SERVE_CONNECTIONS", default_value_t = 8,
          value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(4..=1000))]
    pub serve_connections: usize,
    #[command(flatten)]
    pub view_rule: ViewRuleSettings,
    #[command(flatten)]
    pub view_salts: ViewSaltSettings,
    #[command(flatten)]
    pub trending: TrendingSettings,
}

/// Says who gets in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum AccessSetting {
    /// Everybody, to everything
    Open,
    /// Whoever has a key, to what it is for
    Keys,
}

impl ServeSettings {
    /// Returns who gets in.
    pub fn access(&self) -> Access {
        match self.access {
            None => Access::UntilKeys,
            Some(AccessSetting::Open) => Access::Open,
            Some(AccessSetting::Keys) => Access::Keys,
        }
    }

    /// Returns how long a strip is served from the cache.
    pub fn cache_life(&self) -> Duration {
        Duration::from_secs(self.cache_ttl_secs)
    }

    /// Returns how long the head of a request may take.
    pub fn head_deadline(&self) -> Duration {
        Duration::from_secs(self.head_deadline_secs)
    }

    /// Returns how long the body of a request may take.
    pub fn body_deadline(&self) -> Duration {
        Duration::from_secs(self.body_deadline_secs)
    }

    /// Returns how long the read behind an answer may take.
    pub fn read_deadline(&self) -> Duration {
        Duration::from_secs(self.read_deadline_secs)
    }

    /// Returns how long batch ids are remembered, or none if they are not.
    pub fn dedup_window(&self) -> Option<Duration> {
        (self.dedup_window_secs > 0).then(|| Duration::from_secs(self.dedup_window_secs))
    }
}
