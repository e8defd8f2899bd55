//! The removal of what waits to be folded.

use chrono::NaiveDate;
use tokio_postgres::Row;

use super::sql;
use crate::postgres::{Store, StoreError, Transaction, execute, query};
use scoped_futures::ScopedFutureExt;

/// How many heartbeats of a video were removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ForgottenHeartbeats {
    /// Those that waited to be folded.
    pub queued: u64,
    /// Those that had been set aside.
    pub failed: u64,
}

/// Removes a video's heartbeats, of one day or of all, while no worker folds its lane.
pub(crate) async fn forget_in(
    tx: &Transaction<'_>,
    video_id: &str,
    lane: u16,
    day: Option<NaiveDate>,
) -> Result<ForgottenHeartbeats, StoreError> {
    query(tx, sql::LOCK_LANE, &[&i32::from(lane)]).await?;
    let queued = query(tx, sql::FORGET_QUEUED, &[&(lane as i16), &video_id, &day]).await?;
    let failed = execute(tx, sql::FORGET_FAILED, &[&video_id, &day]).await?;
    let count = |row: &Row| row.try_get::<_, i64>("heartbeats").map(|count| count as u64);
    Ok(ForgottenHeartbeats { queued: count(&queued[0])?, failed })
}

impl Store {
    /// Deletes what had been set aside of days that are not kept.
    pub async fn delete_unkept_failed(&self) -> Result<(), StoreError> {
        self.run_tx("delete_unkept_failed", |tx| {
            async move { execute(tx, sql::DELETE_UNKEPT_FAILED, &[]).await }.scope_boxed()
        })
        .await?;
        Ok(())
    }
}
