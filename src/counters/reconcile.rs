//! Reconciliation: every total is computed anew from its records and healed by the difference.

use std::collections::BTreeMap;

use super::kinds::KindId;
use crate::postgres::{Store, StoreError};

/// Counters compared at once.
const COUNTERS: i64 = 500;

/// The differences that a reconciliation found.
#[derive(Debug, Default)]
pub struct Found {
    /// Counters that were compared.
    pub compared: u64,
    /// The number of counters of each kind that had drifted; they are healed.
    pub drifted: BTreeMap<KindId, u64>,
}

/// Compares all counters; those that differ are locked, compared again and healed.
pub async fn reconcile(store: &Store) -> Result<Found, StoreError> {
    let (mut found, mut behind) = (Found::default(), 0);
    loop {
        let compared = store.compare_counters(behind, COUNTERS).await?;
        let Some(last) = compared.last else { return Ok(found) };
        behind = last;
        found.compared += compared.counters;
        let suspects: Vec<i64> = compared.drifted.iter().map(|drifted| drifted.counter).collect();
        if suspects.is_empty() {
            continue;
        }
        for healed in store.heal_counters(&suspects).await? {
            *found.drifted.entry(healed.kind).or_default() += 1;
        }
    }
}
