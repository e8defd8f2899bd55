//! The read behind the list of the most watched videos.
//!
//! Uniting every video's sketches of four weeks takes seconds once there are 100,000 videos, and 20 of them are asked
//! for. So compaction keeps a bound of each video's viewers, the sum of what it added, which no union exceeds. Sketches
//! are united of the videos with the highest bounds, a few at a time, until those that follow cannot enter the list any
//! more: the threshold algorithm of Fagin, Lotem and Naor ([Optimal aggregation algorithms for middleware], 2003) with
//! one list.
//!
//! [Optimal aggregation algorithms for middleware]: https://doi.org/10.1016/S0022-0000(03)00026-6

use std::pin::pin;

use chrono::NaiveDate;
use futures_util::TryStreamExt;
use scoped_futures::ScopedFutureExt;
use tokio_postgres::types::ToSql;

use super::strips::shard_regions;
use super::{prepare_read, sql};
use crate::postgres::{Store, StoreError, Transaction, kept_days, query, query_stream, sketches::Sketch};
use crate::viewers::store::epochs;
use crate::{
    heatmap::{
        totals::{Part, Total, Totals, keep_most_watched},
        videos::VideosRange,
    },
    sketch::MAX_EXPLICIT,
};

/// Candidates looked at before their bounds have proven to tell little; then all videos are read at once.
const MAX_CANDIDATES: usize = 10_000;

/// A list of videos as it is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct VideosQuery {
    /// The regions to unite, ascending; `GLOBAL` alone for all.
    pub regions: Vec<String>,
    pub from: NaiveDate,
    pub to: NaiveDate,
    /// The most videos.
    pub limit: u32,
}

/// The days that are read and the first days of their salt epochs, ascending.
struct Days {
    from: NaiveDate,
    to: NaiveDate,
    epoch_first_days: Vec<NaiveDate>,
}

impl Store {
    /// The most watched videos, by viewers descending, and the range they cover.
    pub async fn read_videos(&self, asked: &VideosQuery) -> Result<(VideosRange, Vec<Total>), StoreError> {
        // One snapshot: bounds are of the rows that are united.
        self.run_read(prepare_read(self.tables()), |tx| {
            async move {
                let from = asked.from.max(kept_days::read(tx).await?.kept_from);
                let (epoch_first_days, epochs) = epochs(tx, asked.from, asked.to).await?;
                let rows = most_watched(tx, asked, &Days { from, to: asked.to, epoch_first_days }).await?;
                let range =
                    VideosRange { regions: asked.regions.clone(), from: asked.from, to: asked.to, epochs };
                Ok((range, rows))
            }
            .scope_boxed()
        })
        .await
    }
}

async fn most_watched(
    tx: &Transaction<'_>,
    asked: &VideosQuery,
    days: &Days,
) -> Result<Vec<Total>, StoreError> {
    let limit = asked.limit as usize;
    let bounds = read_bounds(tx, asked, days).await?;
    let mut list: Vec<Total> = Vec::new();
    let mut rest = bounds.as_slice();
    let mut batch = 2 * limit;
    while let Some((_, bound)) = rest.first() {
        if list.len() == limit && list[limit - 1].viewers > highest_estimate(*bound) {
            return Ok(list);
        }
        let (candidates, behind) = rest.split_at(rest.len().min(batch));
        let candidates: Vec<&str> = candidates.iter().map(|(video_id, _)| video_id.as_str()).collect();
        list.extend(read_rows(tx, asked, days, Some(&candidates)).await?);
        keep_most_watched(&mut list, limit);
        rest = behind;
        // The looser the bounds turn out, the more are looked at together.
        batch *= 2;
    }
    if bounds.len() == MAX_CANDIDATES {
        list = read_rows(tx, asked, days, None).await?;
        keep_most_watched(&mut list, limit);
    }
    Ok(list)
}

/// The largest estimate that the union of sketches with these estimates in sum may have. Small unions are counted; a
/// large one may be overestimated: by a quarter would be over ten standard errors.
fn highest_estimate(bound: u64) -> u64 {
    if bound <= MAX_EXPLICIT as u64 { bound } else { bound + bound / 4 }
}

/// The videos with the highest bounds, descending.
async fn read_bounds(
    tx: &Transaction<'_>,
    asked: &VideosQuery,
    days: &Days,
) -> Result<Vec<(String, u64)>, StoreError> {
    let shard_regions = shard_regions(&asked.regions);
    let most = MAX_CANDIDATES as i64;
    let rows =
        query(tx, sql::READ_VIDEO_BOUNDS, &[&days.from, &days.to, &asked.regions, &shard_regions, &most])
            .await?;
    rows.iter().map(|row| Ok((row.try_get("video_id")?, row.try_get::<_, i64>("viewers")? as u64))).collect()
}

/// The candidates, or all videos.
async fn read_rows(
    tx: &Transaction<'_>,
    asked: &VideosQuery,
    days: &Days,
    candidates: Option<&[&str]>,
) -> Result<Vec<Total>, StoreError> {
    let shard_regions = shard_regions(&asked.regions);
    let parameters: &[&(dyn ToSql + Sync)] =
        &[&days.from, &days.to, &asked.regions, &shard_regions, &days.epoch_first_days, &candidates];
    read_totals(tx, sql::READ_VIDEOS, parameters).await
}

/// Adds up the whole-video rows of a statement, name by name.
pub(super) async fn read_totals(
    tx: &Transaction<'_>,
    statement: &str,
    parameters: &[&(dyn ToSql + Sync)],
) -> Result<Vec<Total>, StoreError> {
    let mut totals = Totals::default();
    let mut rows = pin!(query_stream(tx, statement, parameters).await?);
    while let Some(row) = rows.try_next().await? {
        let Sketch(viewers) = row.try_get("viewers")?;
        totals.add(Part {
            name: row.try_get("name")?,
            epoch: row.try_get::<_, i32>("epoch")? as usize,
            last_sec: row.try_get::<_, i32>("last_sec")? as u32,
            plays: row.try_get::<_, i64>("plays")? as u64,
            viewers,
        })?;
    }
    Ok(totals.finish())
}
