//! The read of a video's views day by day, for charts.

use chrono::NaiveDate;
use scoped_futures::ScopedFutureExt;

use super::sql;
use crate::postgres::{Store, StoreError, Transaction, query};

impl Store {
    /// Returns the days of a range on which views of a video counted, ascending, and how many did in these regions, or
    /// `GLOBAL` for all.
    pub async fn read_views_by_day(
        &self,
        video_id: &str,
        regions: &[String],
        from: NaiveDate,
        to: NaiveDate,
    ) -> Result<Vec<(NaiveDate, u64)>, StoreError> {
        self.run_tx("read_views_by_day", |tx| {
            async move {
                let rows = query(tx, sql::READ_VIEWS_BY_DAY, &[&video_id, &from, &to, &regions]).await?;
                rows.iter()
                    .map(|row| Ok((row.try_get("day")?, row.try_get::<_, i64>("views")?.max(0) as u64)))
                    .collect()
            }
            .scope_boxed()
        })
        .await
    }
}

/// Returns the regions in which views of a video counted on a day; its lane is locked.
pub(crate) async fn regions_of_day(
    tx: &Transaction<'_>,
    video_id: &str,
    day: NaiveDate,
) -> Result<Vec<String>, StoreError> {
    let rows = query(tx, sql::READ_VIEW_DAY_REGIONS, &[&video_id, &day]).await?;
    rows.iter().map(|row| Ok(row.try_get("region")?)).collect()
}
