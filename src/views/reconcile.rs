//! Reconciliation: every total is computed anew from what it counts and healed by the difference.

use crate::postgres::{Store, StoreError};

/// Videos compared at once.
const VIDEOS: i64 = 500;

/// The differences that a reconciliation found; they are healed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Found {
    /// Videos that were compared.
    pub compared: u64,
    /// Videos whose views were not those of their days.
    pub views: u64,
    /// Videos whose recent viewers were not their rows.
    pub recent_viewers: u64,
    /// Videos whose lifetime viewers were not those of their sketches.
    pub lifetime_viewers: u64,
}

/// Compares all videos; those that differ are locked, compared again and healed.
pub async fn reconcile(store: &Store) -> Result<Found, StoreError> {
    let (mut found, mut behind) = (Found::default(), String::new());
    loop {
        let compared = store.compare_views(&behind, VIDEOS).await?;
        let Some(last) = compared.last else { return Ok(found) };
        behind = last;
        found.compared += compared.videos;
        // Sorted, as locks are taken.
        let suspects: Vec<String> = compared.drifted.into_iter().map(|video| video.video_id).collect();
        if suspects.is_empty() {
            continue;
        }
        for healed in store.heal_views(&suspects).await? {
            found.views += u64::from(healed.views != 0);
            found.recent_viewers += u64::from(healed.recent_viewers != 0);
            found.lifetime_viewers += u64::from(healed.lifetime_viewers != 0 || healed.estimated_epochs != 0);
        }
    }
}
