//! The night of views: archive whoever has not come back, and remove the days that are not kept.

use super::{
    archive::{self, Archived},
    metrics::METRICS,
};
use crate::{
    clock::Clock,
    postgres::{Store, StoreError},
};

/// The work that a night did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Summary {
    /// What left the recent views.
    pub archived: Archived,
    /// Rows of days that are not kept.
    pub deleted_rows: u64,
    /// Rows of trending of which next to nothing was left.
    pub faded: u64,
}

/// Does it all. A night that dies is simply run again: each piece is a transaction of its own.
pub async fn run(store: &Store, clock: &Clock, recent_days: u32) -> Result<Summary, StoreError> {
    let archived = archive::run(store, clock, recent_days).await?;
    let mut deleted_rows = 0;
    while let Some(rows) = store.delete_unkept_views().await? {
        deleted_rows += rows;
    }
    let faded = store.delete_faded(clock.now()).await?;
    METRICS.trending_faded.inc_by(faded);
    Ok(Summary { archived, deleted_rows, faded })
}
