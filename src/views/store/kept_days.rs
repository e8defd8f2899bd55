//! The removal of days that are not kept. Their views stay in the totals.

use std::collections::BTreeSet;

use scoped_futures::ScopedFutureExt;

use super::{sql, totals};
use crate::postgres::{Store, StoreError, kept_days, query};

/// Rows that are looked up for a piece.
const LOOK_ROWS: i64 = 2_000;

impl Store {
    /// Removes the days of some videos that are not kept; returns how many rows went, none when there are no such days.
    pub async fn delete_unkept_views(&self) -> Result<Option<u64>, StoreError> {
        self.run_tx("delete_unkept_views", |tx| {
            async move {
                tx.batch_execute(sql::PREPARE_VIEW_PIECES).await?;
                let kept_from = kept_days::read(tx).await?.kept_from;
                let rows = query(tx, sql::READ_UNKEPT_VIEW_DAYS, &[&kept_from, &LOOK_ROWS]).await?;
                let videos: BTreeSet<&str> =
                    rows.iter().map(|row| row.try_get("video_id")).collect::<Result<_, _>>()?;
                if videos.is_empty() {
                    return Ok(None);
                }
                let videos = Vec::from_iter(videos);
                totals::lock(tx, self.tables(), &videos).await?;
                let rows = query(tx, sql::DELETE_UNKEPT_VIEW_DAYS, &[&videos, &kept_from]).await?;
                Ok(Some(rows[0].try_get::<_, i64>("rows")? as u64))
            }
            .scope_boxed()
        })
        .await
    }
}
