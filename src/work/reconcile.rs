//! Reconciliation: what is counted twice over is compared, and healed where it differs. Whatever keeps a number beside the rows
//! it stands for belongs here.

use chrono::{DateTime, Utc};

use super::metrics::METRICS;
use crate::{
    clock::Clock,
    counters,
    postgres::{Store, StoreError},
    views,
};

/// What is compared: a closed list, the labels of the metric.
pub const COMPARED: [&str; 4] = ["counters", "views", "recent_viewers", "lifetime_viewers"];

/// The drift that a comparison found, by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drift {
    /// One of [`COMPARED`].
    pub name: &'static str,
    /// How many numbers were looked at.
    pub compared: u64,
    /// Those that were wrong and are healed, by what they count.
    pub healed: Vec<(String, u64)>,
}

impl Drift {
    /// How many were wrong.
    pub fn found(&self) -> u64 {
        self.healed.iter().map(|(_, found)| found).sum()
    }
}

/// Compares and heals everything, and notes what was found for whoever serves the metric.
pub async fn reconcile(store: &Store, clock: &Clock) -> Result<Vec<Drift>, StoreError> {
    let mut drifts = vec![reconcile_counters(store).await?];
    drifts.extend(reconcile_views(store).await?);
    for drift in &drifts {
        note(store, drift, clock.now()).await?;
    }
    Ok(drifts)
}

async fn reconcile_counters(store: &Store) -> Result<Drift, StoreError> {
    let found = counters::reconcile::reconcile(store).await?;
    let kinds = store.counter_kinds().await?;
    let named = |(kind, found): (i16, u64)| {
        (kinds.numbered(kind).map_or_else(|| kind.to_string(), |kind| kind.name.clone()), found)
    };
    Ok(Drift {
        name: COMPARED[0],
        compared: found.compared,
        healed: found.drifted.into_iter().map(named).collect(),
    })
}

async fn reconcile_views(store: &Store) -> Result<[Drift; 3], StoreError> {
    let found = views::reconcile::reconcile(store).await?;
    let drift = |name: &'static str, drifted: u64| Drift {
        name,
        compared: found.compared,
        healed: (drifted > 0).then(|| (name.to_owned(), drifted)).into_iter().collect(),
    };
    let [_, views, recent_viewers, lifetime_viewers] = COMPARED;
    Ok([
        drift(views, found.views),
        drift(recent_viewers, found.recent_viewers),
        drift(lifetime_viewers, found.lifetime_viewers),
    ])
}

async fn note(store: &Store, drift: &Drift, now: DateTime<Utc>) -> Result<(), StoreError> {
    store.write_drift(drift.name, drift.found(), now).await
}

/// Shows in this process's metrics what the last reconciliation found, whoever ran it.
pub async fn sample(store: &Store) -> Result<(), StoreError> {
    for (name, found) in store.read_drift().await? {
        if COMPARED.contains(&name.as_str()) {
            METRICS.drift.with_label_values(&[&name]).set(found as i64);
        }
    }
    Ok(())
}
