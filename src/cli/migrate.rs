//! `heatstrip migrate`

use crate::{config, postgres::migrate::migrate};

pub async fn run(arguments: config::Migrating) -> anyhow::Result<()> {
    migrate(&config::database_url()?, arguments.lanes).await?;
    println!("the database is ready");
    Ok(())
}
