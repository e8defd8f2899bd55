//! The read of a video's regions: whole-video rows united by region, estimated last.

use chrono::NaiveDate;
use scoped_futures::ScopedFutureExt;

use super::{prepare_read, sql, videos::read_totals};
use crate::heatmap::{
    regions::RegionsRange,
    totals::{Total, keep_most_watched},
};
use crate::postgres::{Store, StoreError, Transaction, kept_days, query};
use crate::viewers::store::epochs;

/// A list of regions as it is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RegionsQuery {
    pub video_id: String,
    /// The first day; left out: the first the video has rows for.
    pub from: Option<NaiveDate>,
    /// The last day; left out: the last the video has rows for.
    pub to: Option<NaiveDate>,
    /// The most regions.
    pub limit: u32,
}

impl Store {
    /// The regions a video was watched in, by viewers descending, and the range they cover.
    pub async fn read_regions(&self, asked: &RegionsQuery) -> Result<(RegionsRange, Vec<Total>), StoreError> {
        self.run_read(prepare_read(self.tables()), |tx| {
            async move {
                let mut range = RegionsRange {
                    video_id: asked.video_id.clone(),
                    from: asked.from,
                    to: asked.to,
                    epochs: Vec::new(),
                };
                let kept_from = kept_days::read(tx).await?.kept_from;
                let days = query(tx, sql::READ_VIDEO_DAYS, &[&asked.video_id, &kept_from]).await?;
                let (Some(from), Some(to)) =
                    (range.from.or(days[0].try_get("first_day")?), range.to.or(days[0].try_get("last_day")?))
                else {
                    return Ok((range, Vec::new()));
                };
                (range.from, range.to) = (Some(from), Some(to));
                let first_days;
                (first_days, range.epochs) = epochs(tx, from, to).await?;
                let mut regions = read_totals(
                    tx,
                    sql::READ_REGIONS,
                    &[&asked.video_id, &from.max(kept_from), &to, &first_days],
                )
                .await?;
                keep_most_watched(&mut regions, asked.limit as usize);
                Ok((range, regions))
            }
            .scope_boxed()
        })
        .await
    }
}

/// Returns the regions in which a video was watched on a day; its lane is locked.
pub(crate) async fn of_day(
    tx: &Transaction<'_>,
    video_id: &str,
    day: NaiveDate,
) -> Result<Vec<String>, StoreError> {
    let rows = query(tx, sql::READ_DAY_REGIONS, &[&video_id, &day]).await?;
    rows.iter().map(|row| Ok(row.try_get("region")?)).collect()
}
