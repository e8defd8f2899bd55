//! `heatstrip migrate`

use crate::{config, postgres::migrate::migrate};

/// Runs `heatstrip migrate`.
pub async fn run(settings: config::MigrateSettings) -> anyhow::Result<()> {
    migrate(&config::database_url()?, settings.lanes).await?;
    println!("the database is ready");
    Ok(())
}
