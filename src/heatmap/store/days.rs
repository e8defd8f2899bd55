//! The read of a video's days: whole-video rows united by day, estimated last.

use chrono::NaiveDate;
use scoped_futures::ScopedFutureExt;

use super::{prepare_read, sql, strips::shard_regions, videos::read_totals};
use crate::heatmap::totals::Total;
use crate::postgres::{Store, StoreError, kept_days, query};

/// A series of days as it is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct DaysQuery {
    pub video_id: String,
    /// The regions to unite, ascending; `GLOBAL` alone for all.
    pub regions: Vec<String>,
    pub from: NaiveDate,
    pub to: NaiveDate,
}

impl Store {
    /// Returns the days on which the video was watched, ascending and by name, and the first day that is kept.
    pub async fn read_days(&self, asked: &DaysQuery) -> Result<(Vec<Total>, NaiveDate), StoreError> {
        self.run_read(prepare_read(self.tables()), |tx| {
            async move {
                let kept_from = kept_days::read(tx).await?.kept_from;
                let from = asked.from.max(kept_from);
                let shard_regions = shard_regions(&asked.regions);
                let days = read_totals(
                    tx,
                    sql::READ_DAYS,
                    &[&asked.video_id, &from, &asked.to, &asked.regions, &shard_regions],
                )
                .await?;
                Ok((days, kept_from))
            }
            .scope_boxed()
        })
        .await
    }

    /// Returns how many heartbeats of a video were accepted and folded, by day.
    pub async fn read_accepted(
        &self,
        video_id: &str,
        from: NaiveDate,
        to: NaiveDate,
    ) -> Result<Vec<(NaiveDate, u64)>, StoreError> {
        self.run_read(prepare_read(self.tables()), |tx| {
            async move {
                let from = from.max(kept_days::read(tx).await?.kept_from);
                let rows = query(tx, sql::READ_ACCEPTED, &[&video_id, &from, &to]).await?;
                rows.iter()
                    .map(|row| Ok((row.try_get("day")?, row.try_get::<_, i64>("heartbeats")?.max(0) as u64)))
                    .collect()
            }
            .scope_boxed()
        })
        .await
    }
}
