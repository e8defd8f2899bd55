//! Settings, a file a topic. Each setting is a flag and an environment variable, and its name has its unit.

mod base_path;
mod keep;
mod migrate;
mod origin;
mod salts;
mod secrets;
mod serve;
mod tls;
mod trending;
mod views;
mod work;

pub use base_path::BasePath;
pub use keep::KeepSettings;
pub use migrate::{MigrateSettings, StreamSettings};
pub use origin::Origin;
pub use salts::SaltSettings;
pub use secrets::{DATABASE_HELP, SALT_HELP, SECRETS_HELP, database_url, queue_url};
pub use serve::{AccessSetting, ServeSettings};
pub use tls::TlsSettings;
pub use trending::{HalfLifeSettings, TrendingSettings};
pub use views::{ViewRuleSettings, ViewSaltSettings};
pub use work::WorkSettings;
