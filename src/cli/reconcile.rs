//! `heatstrip reconcile`

use anyhow::bail;
use indicatif::HumanCount;

use crate::{clock::Clock, config, postgres::Store, work::reconcile::reconcile};

/// Exits 0 if everything was as it should be, 1 if something was not and is healed.
pub async fn run() -> anyhow::Result<()> {
    let store = Store::connect(&config::database_url()?, 2).await?;
    let mut wrong = Vec::new();
    for drift in reconcile(&store, &Clock::system()).await? {
        println!(
            "{}: compared {}, drifted {}",
            drift.name,
            HumanCount(drift.compared),
            HumanCount(drift.found())
        );
        wrong.extend(drift.healed.into_iter().map(|(what, found)| format!("{found} {what}")));
    }
    match wrong.is_empty() {
        true => Ok(()),
        false => bail!("totals had drifted and are healed: {}", wrong.join(", ")),
    }
}
