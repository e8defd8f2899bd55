//! `heatstrip doctor`

use anyhow::bail;

use crate::{
    clock::Clock,
    config,
    doctor::{Finding, Level, examine},
};

/// The flags of `heatstrip doctor`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Write a JSON array of findings
    #[arg(long)]
    json: bool,
}

/// Runs `heatstrip doctor`.
pub async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let findings = examine(&config::database_url()?, config::queue_url()?.as_deref(), &Clock::system()).await;
    match arguments.json {
        true => println!("{}", serde_json::to_string_pretty(&findings)?),
        false => findings.iter().for_each(|finding| println!("{finding}")),
    }
    let failing = |finding: &&Finding| finding.level == Level::Fail;
    match findings.iter().filter(failing).count() {
        0 => Ok(()),
        failed => bail!("{failed} of {} checks failed", findings.len()),
    }
}
