//! The read behind a strip: one canonical level, canonical runs and shard runs united, estimated last.

use std::pin::pin;

use chrono::NaiveDate;
use deadpool_postgres::Transaction;
use futures_util::TryStreamExt;
use scoped_futures::ScopedFutureExt;
use tokio_postgres::types::ToSql;

use super::closed_epochs::{self, Countable, EpochDays};
use super::{ReadError, prepare_read, sql};
use crate::postgres::{Store, StoreError, kept_days, query, query_stream, sketches::Sketch};
use crate::{
    events::region::GLOBAL,
    heatmap::strip::{
        BucketRow, FINEST, StripRange,
        buckets::{Buckets, Part},
        level,
    },
    viewers::{epoch::Rotation, store::epochs},
};

/// A strip as it is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct StripQuery {
    pub video_id: String,
    /// The regions to unite, ascending; `GLOBAL` alone for all.
    pub regions: Vec<String>,
    /// Seconds a bucket.
    pub resolution: u32,
    /// The first day; left out: the first the video has rows for.
    pub from: Option<NaiveDate>,
    /// The last day; left out: the last the video has rows for.
    pub to: Option<NaiveDate>,
    /// The whole seconds of the video, where the catalogue knows: what was played after them is left out.
    pub length_sec: Option<u32>,
}

/// Where a video ends, as the rows of a level see it.
#[derive(Debug, Clone, Copy)]
struct End {
    /// Its last second.
    last_sec: i32,
    /// The first second of the level's bucket that the end cuts; behind `last_sec` where it cuts none.
    cut_from: i32,
}

impl End {
    fn of(length_sec: Option<u32>, level: u32) -> End {
        let length = length_sec.map_or(LONGEST, |length| length.clamp(1, LONGEST));
        End { last_sec: length as i32 - 1, cut_from: (length / level * level) as i32 }
    }
}

/// Seconds of the longest video.
const LONGEST: u32 = 86_400;

impl Store {
    /// The buckets of a strip, epoch by epoch and ascending in each, and the range they cover.
    pub async fn read_strip(&self, asked: &StripQuery) -> Result<(StripRange, Vec<BucketRow>), ReadError> {
        // One snapshot: rows of a day are never seen without the day's epoch.
        self.run_read(prepare_read(self.tables()), |tx| {
            async move {
                let mut range = StripRange {
                    video_id: asked.video_id.clone(),
                    regions: asked.regions.clone(),
                    resolution: asked.resolution,
                    from: asked.from,
                    to: asked.to,
                    epochs: Vec::new(),
                };
                let kept = kept_days::read(tx).await?;
                let days = query(tx, sql::READ_VIDEO_DAYS, &[&asked.video_id, &kept.kept_from]).await?;
                let (first_day, last_day): (Option<NaiveDate>, Option<NaiveDate>) =
                    (days[0].try_get("first_day")?, days[0].try_get("last_day")?);
                let (Some(from), Some(to)) = (range.from.or(first_day), range.to.or(last_day)) else {
                    return Ok((range, Vec::new()));
                };
                (range.from, range.to) = (Some(from), Some(to));
                let level = level(asked.resolution);
                // Days without rows of this video need no seconds.
                let first_read = from.max(first_day.unwrap_or(from)).max(kept.kept_from);
                if level == FINEST && first_read < kept.fine_from && first_read <= to {
                    return Err(ReadError::TooFine(kept.fine_from));
                }
                let first_days;
                (first_days, range.epochs) = epochs(tx, from, to).await?;

                // Days on which nobody watched are neither read nor stand in the way of counts.
                let read = (first_read, to.min(last_day.unwrap_or(to)));
                let (min, max) = Rotation::Never.span(from);
                let bounds = (
                    if Some(from) <= first_day { min.max(kept.kept_from) } else { first_read },
                    if Some(to) >= last_day { max } else { to },
                );
                let days = Days { bounds, read, fine_from: kept.fine_from, epoch_first_days: &first_days };
                let rows = read_buckets(tx, asked, level, days).await?;
                Ok((range, rows))
            }
            .scope_boxed()
        })
        .await
    }
}

/// The days of a strip.
struct Days<'a> {
    /// Epochs between these may have counts.
    bounds: EpochDays,
    /// These are read.
    read: EpochDays,
    /// The first day that is kept by the second.
    fine_from: NaiveDate,
    /// The first days of the salt epochs of the range, ascending.
    epoch_first_days: &'a [NaiveDate],
}

/// The buckets of the days that are read: from counts where the epochs have them, else from sketches.
async fn read_buckets(
    tx: &Transaction<'_>,
    asked: &StripQuery,
    level: u32,
    Days { bounds, read, fine_from, epoch_first_days }: Days<'_>,
) -> Result<Vec<BucketRow>, StoreError> {
    let End { last_sec, cut_from } = End::of(asked.length_sec, level);
    let mut rows = Vec::new();
    let mut rest = Some((read, Vec::new()));
    if let [region] = asked.regions.as_slice()
        && asked.resolution == level
    {
        let countable = Countable { video_id: &asked.video_id, region, level, last_sec };
        let counted = closed_epochs::counted_epochs(tx, countable, bounds, read).await?;
        if !counted.is_empty() {
            rows = closed_epochs::read_counts(tx, countable, &counted, epoch_first_days).await?;
            rest = closed_epochs::uncounted(read, &counted);
        }
    }
    if let Some(((from, to), counted_days)) = rest {
        let shard_regions = shard_regions(&asked.regions);
        let parameters: &[&(dyn ToSql + Sync)] = &[
            &asked.video_id,
            &from,
            &to,
            &asked.regions,
            &shard_regions,
            &epoch_first_days,
            &(level as i32),
            &counted_days,
            &last_sec,
            &cut_from,
            &fine_from,
        ];
        rows.extend(unite(tx, asked.resolution, parameters).await?);
    }
    Ok(rows)
}

/// The buckets that the rows make. A row is united as it arrives: all of a long range would not fit into memory.
async fn unite(
    tx: &Transaction<'_>,
    resolution: u32,
    parameters: &[&(dyn ToSql + Sync)],
) -> Result<Vec<BucketRow>, StoreError> {
    let mut buckets = Buckets::new(resolution);
    let mut rows = pin!(query_stream(tx, sql::READ_STRIP, parameters).await?);
    while let Some(row) = rows.try_next().await? {
        let Sketch(viewers) = row.try_get("viewers")?;
        buckets.add(Part {
            epoch: row.try_get::<_, i32>("epoch")? as usize,
            start_sec: row.try_get::<_, i32>("start_sec")? as u32,
            end_sec: row.try_get::<_, i32>("end_sec")? as u32,
            plays: row.try_get::<_, i64>("plays")? as u64,
            viewers,
        })?;
    }
    Ok(buckets.finish()?)
}

/// Shard rows know no `GLOBAL`: all of them are read then.
pub(super) fn shard_regions(regions: &[String]) -> Option<&[String]> {
    (regions != [GLOBAL]).then_some(regions)
}
