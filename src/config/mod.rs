//! Settings: each is a flag and an environment variable, its unit in its name. Secrets have no flag, so that no process
//! list shows them: they come from the environment or from a file.

use std::{net::SocketAddr, path::Path, time::Duration};

use anyhow::{Context, bail};
use axum::http::HeaderName;
use clap::Args;

use crate::{
    events::region::Region,
    viewers::{epoch::Rotation, hash::Salt, salt::SaltSource},
    work::nightly::Keep,
};

macro_rules! database_help {
    () => {
        "  DATABASE_URL           Postgres, as postgresql://user:password@host:5432/database
  DATABASE_URL_FILE      a file that holds it"
    };
}
macro_rules! salt_help {
    () => {
        "  HEATSTRIP_VIEWER_SALT  one salt for every day (rotation `never`), for hashes equal to those of another ingester;
                         left out, salts are random, kept in the database and rotated
  HEATSTRIP_VIEWER_SALT_FILE  a file that holds it"
    };
}

/// Shown under the help of commands that need the database and hash viewers.
pub const SECRETS_HELP: &str =
    concat!("Secrets, from the environment only:\n", database_help!(), "\n", salt_help!());
/// Shown under the help of commands that need the database alone.
pub const DATABASE_HELP: &str = concat!("Secrets, from the environment only:\n", database_help!());
/// Shown under the help of commands that hash viewers and have a database of their own.
pub const SALT_HELP: &str = concat!("Secrets, from the environment only:\n", salt_help!());

/// How viewers are hashed.
#[derive(Debug, Clone, Args)]
pub struct Salting {
    /// How often the salt changes; a person counts once per salt
    #[arg(long, env = "HEATSTRIP_SALT_ROTATION", value_enum, default_value = "daily")]
    pub salt_rotation: Rotation,
}

impl Salting {
    /// Where salts come from: a secret that is set wins over the rotation.
    pub fn source(&self) -> anyhow::Result<SaltSource> {
        match secret("HEATSTRIP_VIEWER_SALT")? {
            None => Ok(SaltSource::Made(self.salt_rotation)),
            Some(salt) => Ok(SaltSource::Given(Salt::new(salt.into_bytes()))),
        }
    }
}

/// The HTTP interface.
#[derive(Debug, Clone, Args)]
pub struct Serving {
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
}

impl Serving {
    /// How long a strip is served from the cache.
    pub fn cache_life(&self) -> Duration {
        Duration::from_secs(self.cache_ttl_secs)
    }

    /// How long batch ids are remembered, none if not at all.
    pub fn dedup_window(&self) -> Option<Duration> {
        (self.dedup_window_secs > 0).then(|| Duration::from_secs(self.dedup_window_secs))
    }
}

/// The ingestion worker.
#[derive(Debug, Clone, Args)]
pub struct Working {
    /// Connections that fold at once, each on a lane of its own
    #[arg(long, env = "HEATSTRIP_WORKER_CONNECTIONS", default_value_t = 2,
          value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..=64))]
    pub worker_connections: usize,
}

/// What is kept.
#[derive(Debug, Clone, Args)]
pub struct Keeping {
    /// Days kept before today; left out, all of them
    #[arg(long, env = "HEATSTRIP_RETENTION_DAYS", value_parser = clap::value_parser!(u32).range(1..=36_500))]
    pub retention_days: Option<u32>,
    /// Days kept by the second before today, the others by 5 s; left out, all of them
    #[arg(long, env = "HEATSTRIP_FINE_DAYS", value_parser = clap::value_parser!(u32).range(1..=36_500))]
    pub fine_days: Option<u32>,
}

impl Keeping {
    /// As the nightly job takes it.
    pub fn keep(&self) -> Keep {
        Keep { days: self.retention_days, fine_days: self.fine_days }
    }
}

/// The first migration.
#[derive(Debug, Clone, Args)]
pub struct Migrating {
    /// Lanes of the queue, so the most connections that can fold at once; counts at the first migration only
    #[arg(long, env = "HEATSTRIP_LANES", default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub lanes: u16,
}

/// The database all processes share.
pub fn database_url() -> anyhow::Result<String> {
    secret("DATABASE_URL")?.context(
        "DATABASE_URL is not set: set it to postgresql://user:password@host:5432/database (`heatstrip dev` prints its own)",
    )
}

/// A secret from the environment variable `name` or from the file that `name_FILE` names.
fn secret(name: &str) -> anyhow::Result<Option<String>> {
    let file_name = format!("{name}_FILE");
    let value = match (std::env::var_os(name), std::env::var_os(&file_name)) {
        (None, None) => return Ok(None),
        (Some(_), Some(_)) => bail!("{name} and {file_name} are both set: set one"),
        (Some(value), None) => value.into_string().ok().with_context(|| format!("{name} is not UTF-8"))?,
        (None, Some(path)) => {
            let path = Path::new(&path);
            let text = std::fs::read_to_string(path)
                .with_context(|| format!("{file_name} names {}, which cannot be read", path.display()))?;
            // Editors end files with a line break that nobody means.
            text.trim_end_matches(['\r', '\n']).to_owned()
        }
    };
    if value.is_empty() {
        bail!("{name} is empty: set it or leave it out");
    }
    Ok(Some(value))
}
